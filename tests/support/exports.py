"""Exports of the packs erp_br and olist, written from just the columns in play."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

Rows = Iterable["dict[str, str] | str"]

VENDAS = {
    "pedido": "Pedido",
    "item": "Item",
    "data_venda": "Data da Venda",
    "loja": "Loja",
    "canal": "Canal",
    "sku": "SKU",
    "cpf": "CPF do Cliente",
    "nome": "Nome do Cliente",
    "email": "E-mail",
    "quantidade": "Quantidade",
    "preco": "Preço Unitário",
    "desconto": "Desconto",
    "frete": "Frete",
    "promocao": "Promoção",
    "situacao": "Situação",
    "atualizado_em": "Atualizado em",
}
PRODUTOS = {
    "sku": "SKU",
    "descricao": "Descrição",
    "categoria": "Categoria",
    "marca": "Marca",
    "preco": "Preço de Lista",
    "custo": "Custo",
    "vigente_desde": "Vigente desde",
}
LOJAS = {"loja": "Loja", "nome": "Nome", "cidade": "Cidade", "uf": "UF", "regiao": "Região", "canal": "Canal", "aberta_em": "Aberta em"}
PROMOCOES = {
    "codigo": "Código",
    "nome": "Nome",
    "mecanica": "Mecânica",
    "sku": "SKU",
    "desconto_pct": "Desconto %",
    "inicio": "Início",
    "fim": "Fim",
    "canal": "Canal",
    "regiao": "Região",
    "exposicao": "Exposição",
    "situacao": "Situação",
    "investimento": "Investimento",
}
RUPTURAS = {"loja": "Loja", "sku": "SKU", "inicio": "Início", "fim": "Fim"}
ERP_HEADERS = {"vendas": VENDAS, "produtos": PRODUTOS, "lojas": LOJAS, "promocoes": PROMOCOES, "rupturas": RUPTURAS}

OLIST_COLUMNS = {
    "orders": [
        "order_id",
        "customer_id",
        "order_status",
        "order_purchase_timestamp",
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ],
    "order_items": ["order_id", "order_item_id", "product_id", "seller_id", "shipping_limit_date", "price", "freight_value"],
    "customers": ["customer_id", "customer_unique_id", "customer_zip_code_prefix", "customer_city", "customer_state"],
    "products": [
        "product_id",
        "product_category_name",
        "product_name_lenght",
        "product_description_lenght",
        "product_photos_qty",
        "product_weight_g",
        "product_length_cm",
        "product_height_cm",
        "product_width_cm",
    ],
    "sellers": ["seller_id", "seller_zip_code_prefix", "seller_city", "seller_state"],
}
_OLIST_REFERENCE = ("products", "sellers")
_OLIST_FILES = {"orders": "olist_orders", "order_items": "olist_order_items", "customers": "olist_customers"}


def sale(pedido: str = "P1", item: str = "1", **columns: str) -> dict[str, str]:
    """A line of vendas; it was last updated at the moment of the sale unless something else is said."""
    row = {
        "pedido": pedido,
        "item": item,
        "data_venda": "10/01/2026 10:00:00",
        "loja": "L1",
        "canal": "Loja",
        "sku": "A",
        "cpf": "111.444.777-35",
        "nome": "Ana Conceição",
        "email": "ana@example.com",
        "quantidade": "1",
        "preco": "10,00",
        "desconto": "0,00",
        "frete": "0,00",
        "promocao": "",
        "situacao": "FATURADO",
    } | columns
    return {"atualizado_em": row["data_venda"]} | row


def product(sku: str = "A", **columns: str) -> dict[str, str]:
    """A line of produtos."""
    return {
        "sku": sku,
        "descricao": f"Produto {sku}",
        "categoria": "Notebooks",
        "marca": "Acme",
        "preco": "12,00",
        "custo": "6,00",
        "vigente_desde": "01/01/2020",
    } | columns


def store(loja: str = "L1", **columns: str) -> dict[str, str]:
    """A line of lojas."""
    return {
        "loja": loja,
        "nome": f"Loja {loja}",
        "cidade": "São Paulo",
        "uf": "SP",
        "regiao": "Sudeste",
        "canal": "Loja",
        "aberta_em": "01/03/2015",
    } | columns


def promotion(codigo: str = "PR1", sku: str = "A", **columns: str) -> dict[str, str]:
    """A line of promocoes: ten days of January 2026 at 20 % off, in all shops."""
    return {
        "codigo": codigo,
        "nome": f"Promoção {codigo}",
        "mecanica": "Percentual",
        "sku": sku,
        "desconto_pct": "20,00",
        "inicio": "10/01/2026",
        "fim": "19/01/2026",
        "canal": "",
        "regiao": "",
        "exposicao": "N",
        "situacao": "ATIVA",
        "investimento": "100,00",
    } | columns


def stockout(loja: str = "L1", sku: str = "A", **columns: str) -> dict[str, str]:
    """A line of rupturas: three days of January 2026."""
    return {"loja": loja, "sku": sku, "inicio": "03/01/2026", "fim": "05/01/2026"} | columns


def erp_header(kind: str) -> str:
    """The header line of a kind of file."""
    return ";".join(ERP_HEADERS[kind].values())


def erp_text(kind: str, rows: Rows) -> str:
    """A file's text: rows given by column, or lines given as they are."""
    headers = ERP_HEADERS[kind]
    lines = [row if isinstance(row, str) else ";".join(row[name] for name in headers) for row in rows]
    return "\n".join([erp_header(kind), *lines]) + "\n"


def land_erp(landing: Path, name: str, *rows: dict[str, str] | str) -> Path:
    """Write `erp_br/<name>.csv`; what stands before the name's first `_` is its kind."""
    path = landing / "erp_br" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(erp_text(name.partition("_")[0], rows).encode("latin-1"))
    return path


def land_reference(landing: Path, *skus: str) -> None:
    """Write one store L1 and some products, so that sales can be accepted."""
    land_erp(landing, "lojas_2020", store())
    land_erp(landing, "produtos_2020", *map(product, skus or ("A",)))


def land_olist(landing: Path, kind: str, batch: str, *rows: dict[str, str] | str) -> Path:
    """Write one Olist file of a batch (a month such as 2018-01); columns that a row lacks are blank."""
    columns = OLIST_COLUMNS[kind]
    if kind in _OLIST_REFERENCE:
        path = landing / "olist" / "reference" / f"olist_{kind}_dataset.csv"
    else:
        path = landing / "olist" / "batches" / batch / f"{_OLIST_FILES[kind]}_dataset_{batch}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else ",".join(row.get(column, "") for column in columns) for row in rows]
    path.write_text("\n".join([",".join(columns), *lines]) + "\n", encoding="utf-8")
    return path

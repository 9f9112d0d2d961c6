"""The words on the pictures in English and Portuguese."""

from __future__ import annotations

LANGUAGES = ("en", "pt")

_WORDS = {
    # word: (English, Portuguese)
    "sales_over_time": ("Net sales per day", "Vendas líquidas por dia"),
    "daily": ("day", "dia"),
    "mean_of_7_days": ("mean of the last 7 days", "média dos últimos 7 dias"),
    "promotion": ("promotion", "promoção"),
    "short": ("Promotions of up to {days} days bear no name", "Promoções de até {days} dias ficam sem nome"),
    "always_on": ("Not shaded, as longer than {days} days: {names}", "Sem faixa, por durar mais de {days} dias: {names}"),
    "no_sales": ("No sales in this period", "Nenhuma venda neste período"),
    "thin_months": ("Months with next to no sales are left out", "Meses quase sem vendas ficam de fora"),
    "category_mix": ("Share of net sales by category and month", "Participação das categorias nas vendas líquidas por mês"),
    "no_category": ("no category", "sem categoria"),
    "no_categories": ("No product sold here has a category", "Nenhum produto vendido aqui tem categoria"),
    "others": ("others ({count})", "outras ({count})"),
    "weekday_by_month": ("Mean net sales per day by weekday and month", "Venda líquida média por dia da semana e mês"),
    "weekdays": ("Mon Tue Wed Thu Fri Sat Sun", "seg ter qua qui sex sáb dom"),
    "months": ("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", "jan fev mar abr mai jun jul ago set out nov dez"),
    "in_unit": ("Figures in {unit}", "Valores em {unit}"),
    "events_by_day": ("Order events per day", "Eventos de pedido por dia"),
    "order_placed": ("placed", "pedidos"),
    "order_cancelled": ("cancelled", "cancelamentos"),
    "item_returned": ("returned", "devoluções"),
    "no_events": ("No order events have come in yet", "Nenhum evento de pedido chegou ainda"),
    "rejects_by_reason": ("Rejected rows by reason", "Linhas rejeitadas por motivo"),
    "rejected_rows": ("{rows} rejected rows, each under all its reasons", "{rows} linhas rejeitadas, cada uma em todos os seus motivos"),
    "no_rejects": ("No rejected rows", "Nenhuma linha rejeitada"),
    "other_reasons": ("other reasons ({count})", "outros motivos ({count})"),
    "fates_by_kind": ("What became of the rows of each kind of file", "O destino das linhas de cada tipo de arquivo"),
    "accepted": ("accepted", "aceitas"),
    "superseded": ("superseded", "substituídas"),
    "ignored": ("ignored", "ignoradas"),
    "rejected": ("rejected", "rejeitadas"),
    "no_files": ("No rows have come in yet", "Nenhuma linha chegou ainda"),
    "abc_curve": ("How few products make most of the net sales", "Quão poucos produtos fazem a maior parte das vendas"),
    "share_of_skus": ("share of the SKUs, best-selling first", "parcela dos SKUs, do mais vendido ao menos vendido"),
    "share_of_sales": ("cumulative share of net sales", "parcela acumulada das vendas líquidas"),
    "class": ("{skus} SKUs ({of_skus}) make {of_sales}", "{skus} SKUs ({of_skus}) fazem {of_sales}"),
    "customer_segments": ("Customers and what they spent, by segment", "Clientes e seus gastos, por segmento"),
    "customers": ("customers", "clientes"),
    "spent": ("net sales", "vendas líquidas"),
    "champion": ("champion", "campeões"),
    "loyal": ("loyal", "fiéis"),
    "promising": ("promising", "promissores"),
    "at_risk": ("at risk", "em risco"),
    "dormant": ("dormant", "adormecidos"),
    "no_customers": ("This source names no customers", "Esta fonte não identifica clientes"),
    "price_history": ("List prices of the SKUs that changed most often", "Preços de tabela dos SKUs que mais mudaram"),
    "no_prices": ("This source gives no list prices", "Esta fonte não informa preços de tabela"),
    "own_scale": ("Each panel has its own scale", "Cada painel tem a sua escala"),
    "no_price_changes": ("No list price has changed", "Nenhum preço de tabela mudou"),
}


def words(language: str) -> dict[str, str]:
    """Look up the words in one language, by their names here; raises ValueError for a language other than en and pt."""
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is unknown; expected one of {', '.join(LANGUAGES)}")
    return {name: both[LANGUAGES.index(language)] for name, both in _WORDS.items()}

"""What the shop sells: categories with their models, specifications and price range. All brands are invented."""

from __future__ import annotations

from dataclasses import dataclass

BRANDS = ("Caburé", "Jaguatec", "Mirantek", "Nimbora", "Pixaba", "Sabiatec", "Tupabyte", "Uirapix", "Zarvex", "Quorima")


@dataclass(frozen=True)
class Category:
    """A kind of product; `weight` is its share of the assortment, `specs` run from cheap to dear, prices in reais."""

    name: str
    noun: str
    weight: float
    lowest: float
    highest: float
    models: tuple[str, ...]
    specs: tuple[str, ...]


# fmt: off
CATEGORIES = (
    Category("Notebooks", "Notebook", 3.0, 1999, 9499,
             ("Serra", "Cerrado", "Pampa", "Duna"), ("8GB 256GB", "8GB 512GB", "16GB 512GB", "16GB 1TB")),
    Category("Monitores", "Monitor", 2.2, 599, 3499,
             ("Vista", "Panorama", "Curvo"), ("22 pol. 75Hz", "24 pol. 100Hz", "27 pol. 144Hz", "34 pol. 165Hz")),
    Category("Teclados", "Teclado", 2.0, 69, 699,
             ("Compacto", "Toque", "Mecânico"), ("USB", "sem fio", "RGB ABNT2")),
    Category("Mouses", "Mouse", 2.2, 29, 399,
             ("Ágil", "Leve", "Precisão"), ("1600 DPI", "sem fio", "gamer 12000 DPI", "gamer 26000 DPI")),
    Category("Armazenamento", "SSD", 1.8, 149, 1299,
             ("Veloz", "Raio"), ("SATA 240GB", "SATA 480GB", "NVMe 1TB", "NVMe 2TB")),
    Category("Memórias", "Memória RAM", 1.6, 119, 999,
             ("Fluxo", "Turbo"), ("DDR4 8GB", "DDR4 16GB", "DDR5 16GB", "DDR5 32GB")),
    Category("Placas de Vídeo", "Placa de Vídeo", 1.2, 1199, 7999,
             ("Trovão", "Aurora"), ("6GB", "8GB", "12GB", "16GB")),
    Category("Processadores", "Processador", 1.0, 599, 3299,
             ("Núcleo", "Ápice"), ("4 núcleos", "6 núcleos", "8 núcleos", "12 núcleos")),
    Category("Redes", "Roteador", 1.4, 99, 1199,
             ("Onda", "Malha"), ("Wi-Fi 5", "Wi-Fi 6", "Wi-Fi 6 Mesh 2 un.", "Wi-Fi 7")),
    Category("Impressoras", "Impressora", 1.2, 449, 2199,
             ("Tinta", "Laser"), ("simples", "multifuncional", "multifuncional Wi-Fi", "tanque de tinta")),
    Category("Áudio", "Headset", 2.0, 79, 999,
             ("Eco", "Grave", "Silêncio"), ("P2", "USB 7.1", "sem fio", "cancelamento de ruído")),
    Category("Webcams", "Webcam", 0.8, 99, 799,
             ("Olhar", "Foco"), ("HD 720p", "Full HD", "2K", "4K")),
    Category("Smartphones", "Smartphone", 2.6, 799, 6499,
             ("Alfa", "Beta", "Ipê", "Jacarandá"), ("64GB", "128GB", "256GB", "512GB")),
    Category("Tablets", "Tablet", 1.2, 699, 4299,
             ("Prancha", "Traço"), ("32GB", "64GB", "128GB 4G", "256GB 5G")),
    Category("Cadeiras", "Cadeira Gamer", 0.8, 649, 2299,
             ("Trono", "Encosto"), ("tecido", "couro sintético", "reclinável 4D")),
    Category("Cabos e Adaptadores", "Cabo HDMI", 1.4, 19, 149,
             ("Flex", "Trançado"), ("2.0 1,5 m", "2.0 3 m", "2.1 2 m", "2.1 5 m")),
    Category("Energia", "Nobreak", 0.8, 399, 2499,
             ("Guarda", "Vigia"), ("600VA", "1200VA", "1500VA", "2200VA")),
    Category("Wearables", "Smartwatch", 1.0, 199, 2499,
             ("Pulso", "Ritmo"), ("41 mm", "45 mm", "45 mm GPS", "47 mm 4G")),
)
# fmt: on

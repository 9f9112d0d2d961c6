"""Sales Tech: a sales analytics lake for technology retail."""

__version__ = "0.1.0"

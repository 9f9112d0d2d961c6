"""The page: all dashboards in one HTML file that needs neither a server nor a network."""

from sales_tech.dashboards.page.document import PAGE, page_of, write_page

__all__ = ["PAGE", "page_of", "write_page"]

"""Invented customers: names, e-mail addresses at example.com, and CPFs that belong to nobody."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sales_tech.twin.history import Ints
from sales_tech.twin.text import ENCODING, Texts, join, numbers, pick, words

LINES_PER_CUSTOMER = 50
FEWEST, MOST = 20_000, 400_000

# fmt: off
_FIRST = (
    "Ana", "Antônio", "Beatriz", "Bruno", "Caio", "Camila", "Carlos", "Cecília", "Daniel", "Débora", "Diego", "Eduarda", "Elaine",
    "Fábio", "Felipe", "Fernanda", "Gabriel", "Gustavo", "Helena", "Heloísa", "Igor", "Isabela", "Joana", "João", "José", "Júlia",
    "Larissa", "Leandro", "Letícia", "Lucas", "Luís", "Luíza", "Marcelo", "Márcia", "Maria", "Mateus", "Natália", "Otávio",
    "Patrícia", "Paulo", "Pedro", "Rafael", "Raquel", "Renata", "Rodrigo", "Sílvia", "Sônia", "Tatiana", "Thiago", "Vinícius",
    "Vitória", "Yasmin",
)
_LAST = (
    "Albuquerque", "Almeida", "Alves", "Andrade", "Araújo", "Assunção", "Barbosa", "Barros", "Batista", "Borges", "Campos",
    "Cardoso", "Carvalho", "Castro", "Conceição", "Correia", "Costa", "Cunha", "Dias", "Duarte", "Farias", "Fernandes",
    "Ferreira", "Freitas", "Gomes", "Gonçalves", "Guimarães", "Lima", "Lopes", "Machado", "Magalhães", "Marques", "Martins",
    "Mendes", "Monteiro", "Moraes", "Moreira", "Nascimento", "Nunes", "Oliveira", "Pereira", "Pinto", "Ribeiro", "Rocha",
    "Sampaio", "Santos", "Silva", "Simões", "Souza", "Teixeira",
)
# fmt: on


@dataclass(frozen=True)
class Customers:
    """The known customers.

    `printed` holds CPF, name and e-mail as the sales file has them, each followed by the delimiter; its last
    entry, `nobody`, is blank. `often` names customers as often as they buy, so that a random place in it picks a buyer.
    """

    printed: Texts
    often: NDArray[np.int32]

    @property
    def nobody(self) -> int:
        """The row of an anonymous customer."""
        return len(self.printed) - 1

    def draw(self, size: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """Pick buyers; some people buy far more often than others."""
        return self.often[rng.integers(0, len(self.often), size, dtype=np.int32)]

    def facts(self, row: int) -> tuple[str, str, str]:
        """CPF, name and e-mail of one of them."""
        cpf, name, email, _ = self.printed[row].as_py().decode(ENCODING).split(";")
        return cpf, name, email


def make_customers(lines: float, rng: np.random.Generator) -> Customers:
    """Invent a pool that suits so many order lines."""
    size = int(min(max(lines / LINES_PER_CUSTOMER, FEWEST), MOST))
    first, middle, last = (rng.integers(0, len(pool), size) for pool in (_FIRST, _LAST, _LAST))
    columns = [
        *_cpfs(size, rng),
        *(pick(words(pool, end), rows) for pool, end, rows in ((_FIRST, " ", first), (_LAST, " ", middle), (_LAST, ";", last))),
        pick(words(map(_plain, _FIRST), "."), first),
        pick(words(map(_plain, _LAST), ""), last),
        numbers(size, end="@example.com;"),
    ]
    reach = np.cumsum(rng.gamma(0.6, size=size) + 0.02)
    places = (np.arange(8 * size) + 0.5) / (8 * size)
    often = np.searchsorted(reach / reach[-1], places).astype(np.int32)
    return Customers(pa.concat_arrays([join(columns), words([";;"])]), often)


def _cpfs(size: int, rng: np.random.Generator) -> list[Texts]:
    base = rng.choice(899_999_999, size=size, replace=False) + 100_000_000
    digits = base[:, None] // 10 ** np.arange(8, -1, -1) % 10
    first = _check_digit(digits)
    second = _check_digit(np.column_stack([digits, first]))
    # A wrong last digit on purpose: with right ones, some of these would be the numbers of real people.
    second = (second + 1) % 10
    thousands = [base // 1_000_000, base // 1_000 % 1_000, base % 1_000]
    body = [pick(numbers(1_000, 3, end), rows) for end, rows in zip((".", ".", "-"), thousands, strict=True)]
    return [*body, pick(numbers(100, 2), 10 * first + second)]


def _check_digit(digits: Ints) -> Ints:
    rest: Ints = digits @ np.arange(digits.shape[1] + 1, 1, -1) % 11
    return np.where(rest < 2, 0, 11 - rest)


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()

"""Invented customers: names, e-mail addresses at example.com, and CPFs that belong to nobody."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sales_tech.sample.history import Ints

POOL = 20_000

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
    """The pool of known customers; `reach` is the running total of how often each buys. The last entry of each text is blank: nobody."""

    cpf: NDArray[np.object_]
    name: NDArray[np.object_]
    email: NDArray[np.object_]
    reach: NDArray[np.float64]

    def draw(self, size: int, rng: np.random.Generator) -> Ints:
        """Pick buyers; some people buy far more often than others."""
        return np.searchsorted(self.reach, rng.random(size), side="right").astype(np.int64)


def make_customers(rng: np.random.Generator) -> Customers:
    """Invent the pool."""
    first, middle, last = (rng.integers(0, len(words), POOL).tolist() for words in (_FIRST, _LAST, _LAST))
    names = [f"{_FIRST[a]} {_LAST[b]} {_LAST[c]}" for a, b, c in zip(first, middle, last, strict=True)]
    plain_first, plain_last = [_plain(word) for word in _FIRST], [_plain(word) for word in _LAST]
    numbers = range(1, POOL + 1)
    emails = [f"{plain_first[a]}.{plain_last[c]}{n}@example.com" for n, a, c in zip(numbers, first, last, strict=True)]
    reach = np.cumsum(rng.gamma(0.6, size=POOL) + 0.02)
    return Customers(_texts(_cpfs(rng)), _texts(names), _texts(emails), reach / reach[-1])


def _cpfs(rng: np.random.Generator) -> list[str]:
    base = rng.choice(899_999_999, size=POOL, replace=False) + 100_000_000
    digits = base[:, None] // 10 ** np.arange(8, -1, -1) % 10
    first = _check_digit(digits)
    second = _check_digit(np.column_stack([digits, first]))
    # A wrong last digit on purpose: with right ones, some of these would be the numbers of real people.
    second = (second + 1) % 10
    body = [f"{number:09d}" for number in base.tolist()]
    return [f"{b[:3]}.{b[3:6]}.{b[6:]}-{x}{y}" for b, x, y in zip(body, first.tolist(), second.tolist(), strict=True)]


def _check_digit(digits: Ints) -> Ints:
    rest: Ints = digits @ np.arange(digits.shape[1] + 1, 1, -1) % 11
    return np.where(rest < 2, 0, 11 - rest)


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()


def _texts(values: list[str]) -> NDArray[np.object_]:
    return np.array([*values, ""], dtype=np.object_)

"""Names of people who are on no list: some to fit on, others to judge by.

Both are own compilations of frequent names of many countries, and share no word: what was learned
of the one says nothing about a word of the other.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import Final

from benchmarks.name_pairs import FOLDS, Listed, Pair
from detectors.names.analysis import Analyser, Kind
from detectors.names.features import COVERED_BOTH, COVERED_LESS, SAID_SOME
from detectors.names.scoring import Model, no_weights
from detectors.names.screener import Query, Screener
from detectors.names.tables import NameTables
from regtech.reference.watchlists import ListVersion

GIVEN: Final = (
    "James Mary Robert Patricia Michael Linda David Elizabeth William Barbara Thomas Susan "
    "Daniel Karen Matthew Lisa Anna Peter Julia Lukas Sophie Jan Eva Pierre Camille Luc "
    "Giulia Marco Chiara Carlos Lucia Javier Carmen Pedro Ana Joao Beatriz Dmitri Olga Sergei "
    "Natalia Ivan Elena Mehmet Ayse Mustafa Fatma Omar Layla Hassan Amina Yusuf Zainab Arjun "
    "Priya Rahul Ananya Wei Fang Ming Xin Hiroshi Yuki Kenji Sakura Min-jun Ji-woo Seo-yeon "
    "Nguyen Linh Somchai Kofi Ama Chinedu Ngozi Thabo Lerato Erik Ingrid Lars Astrid Mikko "
    "Aino Liam Aoife Piotr Zofia Andrei Ioana Nikos Eleni "
).split()
FAMILY: Final = (
    "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Clark Lewis "
    "Walker Hall Young King Wright Schmidt Weber Wagner Becker Hoffmann Dubois Laurent Moreau "
    "Girard Rossi Russo Ferrari Bianchi Fernandez Lopez Sanchez Ramirez Torres Silva Santos "
    "Oliveira Costa Smirnov Volkov Morozov Novikov Yilmaz Kaya Demir Celik Haddad Mansour "
    "Khalil Saleh Patel Sharma Gupta Reddy Zhang Wang Liu Chen Yang Huang Sato Suzuki "
    "Takahashi Tanaka Kim Park Lee Tran Pham Okafor Mensah Nkosi Dlamini Larsen Hansen "
    "Johansson Nilsson Korhonen Virtanen Murphy Kelly Nowak Kowalski Popescu Ionescu "
    "Papadopoulos Georgiou OBrien Fitzgerald Campbell Stewart "
).split()
FITTED_GIVEN: Final = (
    "Andrew George Kevin Brian Edward Ronald Timothy Jason Jeffrey Ryan Jacob Gary Nicholas "
    "Jonathan Stephen Larry Justin Scott Brandon Emily Jessica Sarah Ashley Kimberly Donna "
    "Michelle Carol Amanda Melissa Deborah Laura Rebecca Sharon Cynthia Kathleen Angela Helen "
    "Hans Klaus Jurgen Wolfgang Ursula Monika Petra Sabine Jacques Francois Philippe Nathalie "
    "Isabelle Giovanni Alessandro Francesca Paola Miguel Alejandro Rosa Dolores Juan Diego Rui "
    "Paulo Teresa Ines Vladimir Alexei Tatiana Irina Svetlana Mikhail Nikolai Ahmet Huseyin Emine "
    "Hatice Ali Ibrahim Khaled Mohammed Abdullah Samira Nadia Karim Rania Vijay Sunita Deepak "
    "Kavita Sanjay Anil Meena Jun Lei Hui Yan Jing Takashi Naoko Haruto Aiko Hyun-woo Soo-jin "
    "Duc Huong Anong Prasert Kwame Abena Emeka Adaeze Sipho Nomsa Bjorn Sven Karin Jukka Sanna "
    "Sean Niamh Krzysztof Agnieszka Tomasz Mihai Elisabeta Giorgos Katerina Farid Leila Reza "
    "Budi Siti Dewi Agus Ferdinand Maricel Rizal Tariq Saima Imran Shabana Zoltan Katalin"
).split()
FITTED_FAMILY: Final = (
    "Garcia Martinez Rodriguez Hernandez Gonzalez Perez Thompson White Harris Martin Jackson "
    "Robinson Allen Scott Green Baker Adams Nelson Carter Mitchell Roberts Turner Phillips Parker "
    "Evans Edwards Collins Cook Morgan Bell Cooper Richardson Cox Howard Ward Muller Fischer "
    "Meyer Schulz Koch Richter Klein Wolf Neumann Schwarz Bernard Petit Durand Leroy Roux Fournier "
    "Mercier Esposito Romano Colombo Ricci Marino Greco Gomez Diaz Ruiz Alvarez Moreno Vargas "
    "Castro Rojas Pereira Ferreira Rodrigues Almeida Carvalho Ivanov Petrov Sokolov Popov Lebedev "
    "Kozlov Kuznetsov Ozturk Aydin Arslan Dogan Sahin Hussein Ahmad Hamdan Nasser Khoury Singh "
    "Kumar Verma Mehta Iyer Das Li Zhao Wu Zhou Xu Sun Hu Lin Watanabe Ito Yamamoto Nakamura Choi "
    "Jung Kang Cho Le Vo Dang Owusu Boateng Adeyemi Okonkwo Khumalo Mokoena Berg Lindberg Karlsson "
    "Eriksson Makinen Nieminen Ryan Byrne Doyle Wisniewski Wojcik Kaminski Dumitru Stan "
    "Nikolaidis Vasileiou Khan Malik Hossain Rahman Santoso Wijaya Reyes Cruz Bautista Nagy Kovacs"
).split()
NEAREST: Final = 2
"""Listed names that a name is held against, of those most like it."""


def strangers(
    count: int,
    listed: Collection[str],
    analyser: Analyser,
    *,
    seed: int = 11,
    given: Sequence[str] = GIVEN,
    family: Sequence[str] = FAMILY,
) -> list[str]:
    """Names of people put together, but for those that stand on a list as they are."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        words = [draw.choice(given), draw.choice(family)]
        if draw.random() < 0.35:
            words.insert(1, draw.choice(given))
        if draw.random() < 0.15:
            words.append(draw.choice(family))
        name = " ".join(words)
        if " ".join(sorted(analyser.analyse(name)[0].words)) not in listed:
            found[name] = None
    return list(found)


def _covering() -> Model:
    """A model that asks alone how much of both names is covered; nothing in it is fitted."""
    weights = no_weights()
    for feature in (COVERED_BOTH, COVERED_LESS, SAID_SOME):
        weights.knots[:, feature, :2] = (0.0, 1.0)
        weights.steps[:, feature, 0] = 1.0
    return Model("covering", weights)


def stranger_pairs(
    versions: Sequence[ListVersion],
    listed: Sequence[Listed],
    place: dict[str, tuple[int, int]],
    tables: NameTables,
    count: int,
) -> list[Pair]:
    """Strangers beside the listed names of their fold that are most like theirs: no matches."""
    analyser, screener = Analyser(tables), Screener(tables, _covering(), versions)
    every = {
        " ".join(sorted(analyser.analyse(name)[0].words))
        for entity in listed
        for name in (entity.primary, *entity.aliases)
    }
    draw = random.Random(41)
    kinds: tuple[Kind, ...] = ("", "person", "person")
    pairs = []
    for name in strangers(
        count, every, analyser, seed=43, given=FITTED_GIVEN, family=FITTED_FAMILY
    ):
        fold, kind = draw.randrange(FOLDS), draw.choice(kinds)
        hits = screener.screen(Query(name, kind=kind), threshold=0.5, explain=False)
        near = [hit for hit in hits if place.get(":".join(hit.key), (-1, 0))[0] == fold]
        pairs += [
            Pair(name, hit.listed.text, False, "stranger", fold, kind) for hit in near[:NEAREST]
        ]
    return pairs

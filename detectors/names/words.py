"""What made a score, in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "zh"]

PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "before": ("before anything is compared", "比对前的起点"),
    "words": ("the words of both names", "双方名称的各个词"),
    "signs": ("the characters themselves", "原文字符"),
    "no_words": ("a name without any word", "名称中没有可比的词"),
    "numeral": ("different numbers", "数字不同"),
    "numeral_extra": ("a number on one side alone", "仅一方有数字"),
    "generation": ("different generations (Jr, Sr)", "辈分标记不同"),
    "form_differs": ("different company forms", "企业组织形式不同"),
    "form_same": ("the same company form", "企业组织形式相同"),
    "country_differs": ("different countries in the names", "名称中的国家不同"),
    "country_extra": ("a country in one name alone", "仅一方名称含国家"),
    "initials": ("only an initial stands for a name", "仅以首字母代替名字"),
    "descent_crossed": ("father and child exchanged", "父名与本名互换"),
    "single_word": ("one name has a single word", "一方仅有一个词"),
    "letters": ("letters in common, in order", "相同字母及其次序"),
    "consonants": ("sounds in common, in order", "相同读音及其次序"),
    "acronym": ("one is the initials of the other", "一方为另一方的缩写"),
    "first_word": ("the same first word", "首词相同"),
    "last_word": ("the same last word", "末词相同"),
    "disorder": ("another order of words", "词序不同"),
    "other_script": ("written in different scripts", "书写文字不同"),
    "vowelless": ("a script without vowels", "无元音文字"),
    "kind_differs": ("a person beside an organisation", "自然人与机构"),
    "one_word_each": ("a single word on each side", "双方各仅一个词"),
    "birth_date": ("date of birth", "出生日期"),
    "country": ("country", "国家"),
    "imo": ("IMO number", "IMO 编号"),
    "wallet": ("wallet address", "钱包地址"),
    "weak_alias": ("a weak alias", "弱别名"),
}
RELATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "none": ("has no counterpart", "无对应"),
    "same": ("is", "相同"),
    "alike": ("is spelled like", "拼写相近"),
    "sound": ("sounds like", "读音相近"),
    "short": ("is a form of", "为简称或变体"),
    "spelling": ("is another spelling of", "为另一转写"),
    "meaning": ("means the same as", "含义相同"),
    "initial": ("is the initial of", "首字母"),
    "joined": ("is written together as", "连写或分写"),
}


def part_words(name: str, lang: str) -> str:
    """What a part of a score is called."""
    english, chinese = PARTS[name]
    return chinese if lang == "zh" else english


def relation_words(relation: str, lang: str) -> str:
    """How two words were brought together."""
    english, chinese = RELATIONS[relation]
    return chinese if lang == "zh" else english

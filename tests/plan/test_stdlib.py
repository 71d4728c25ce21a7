"""What nodes make of answers with Python's own library is known to only compute; what changes something by it is still seen."""

import ast
import base64
import calendar
import codecs
import collections
import copy
import csv
import dataclasses
import datetime
import decimal
import difflib
import fnmatch
import hashlib
import html
import io
import itertools
import json
import re
import shlex
import statistics
import string
import textwrap
import tomllib
import unicodedata
import urllib.parse
import xml.etree.ElementTree as ET
from collections import Counter, OrderedDict, deque
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any
from xml.dom import minidom
from xml.sax import saxutils

import pytest

from alto_langgraph.adapters.langgraph.describing import describe
from alto_langgraph.plan.access import analyse
from alto_langgraph.plan.model import Effects


@dataclass
class Part:
    text: str = ""
    marks: list[str] = dataclasses.field(default_factory=list)


def written(state):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["a"])
    writer.writerows(state["x"])
    return {"o": out.getvalue()}


COMPUTING = {
    "distinct": lambda s: {"o": list(dict.fromkeys(s["x"]))},
    "counted": lambda s: {"o": dict.fromkeys(s["x"], 0) | Counter(s["x"])},
    "ordered": lambda s: {"o": list(OrderedDict.fromkeys(s["x"]))},
    "last": lambda s: {"o": list(deque(s["x"], maxlen=3))},
    "xml": lambda s: {"o": [part.text for part in ET.fromstring(s["x"])]},
    "xml found": lambda s: {"o": [part.findtext("title") for part in ET.fromstring(s["x"]).findall(".//item")]},
    "xml iterated": lambda s: {"o": [part.get("id") for part in ET.XML(s["x"]).iter("item")]},
    "xml text": lambda s: {"o": "".join(ET.fromstring(s["x"]).itertext()) + ET.tostring(ET.fromstring(s["x"]), encoding="unicode")},
    "minidom": lambda s: {"o": [n.getAttribute("id") for n in minidom.parseString(s["x"]).getElementsByTagName("item")]},
    "escaped": lambda s: {"o": saxutils.escape(s["x"]) + html.unescape(html.escape(s["x"])) + shlex.quote(s["x"])},
    "wrapped": lambda s: {"o": textwrap.dedent(s["x"]) + textwrap.fill(s["x"]) + textwrap.shorten(s["x"], 3)},
    "normal": lambda s: {"o": unicodedata.normalize("NFC", s["x"]) + s["x"].translate(str.maketrans("", "", string.punctuation))},
    "alike": lambda s: {"o": difflib.SequenceMatcher(None, s["x"], "a").ratio()},
    "close": lambda s: {"o": [*difflib.get_close_matches(s["x"], ["a"]), *difflib.unified_diff(s["x"], ["a"])]},
    "mean": lambda s: {"o": statistics.mean(s["x"])},
    "chained": lambda s: {"o": list(itertools.chain.from_iterable(s["x"])) + list(chain(s["x"], s["y"]))},
    "grouped": lambda s: {"o": [list(group) for key, group in itertools.groupby(s["x"])]},
    "decoded": lambda s: {"o": json.JSONDecoder().raw_decode(s["x"])[0]},
    "matched": lambda s: {"o": [m.span() for m in re.finditer("x", s["x"])]},
    "started": lambda s: {"o": (m := re.search(r"\d", s["x"])) is not None and s["x"][m.start() :]},
    "filled": lambda s: {"o": string.Template("$a").safe_substitute(a=s["x"])},
    "literal": lambda s: {"o": ast.literal_eval(s["x"])},
    "rows": lambda s: {"o": list(csv.reader(io.StringIO(s["x"])))},
    "records": lambda s: {"o": [row["a"] for row in csv.DictReader(s["x"].splitlines())]},
    "written": written,
    "lines": lambda s: {"o": io.StringIO(s["x"]).readlines()},
    "object": lambda s: {"o": asdict(replace(Part("a"), text=s["x"]))},
    "copied": lambda s: {"o": copy.deepcopy(s["x"])},
    "dated": lambda s: {"o": [datetime.datetime.fromisoformat(s["x"]), datetime.datetime.strptime(s["x"], "%Y"), datetime.date.today()]},
    "now": lambda s: {"o": datetime.datetime.now().isoformat()},
    "days": lambda s: {"o": calendar.monthrange(2020, 1)},
    "rounded": lambda s: {"o": decimal.Decimal(s["x"]).quantize(decimal.Decimal("0.1"))},
    "hashed": lambda s: {"o": hashlib.sha256(s["x"].encode()).hexdigest() + base64.b64encode(s["x"].encode()).decode()},
    "bytes": lambda s: {"o": int.from_bytes(bytes.fromhex(s["x"]), "big")},
    "url": lambda s: {"o": urllib.parse.urlparse(s["x"]).netloc},
    "filtered": lambda s: {"o": fnmatch.filter(s["x"], "*.py") + shlex.split(s["y"])},
    "toml": lambda s: {"o": tomllib.loads(s["x"])},
    "rotated": lambda s: {"o": codecs.decode(s["x"], "rot13")},
    "most": lambda s: {"o": collections.Counter(s["x"]).most_common(1)},
}


@pytest.mark.parametrize("name", COMPUTING)
def test_it_only_computes(name: str) -> None:
    plan = analyse(COMPUTING[name], describe=describe)
    changed = [use.name for use in plan.shares if use.writes]
    assert (plan.effects, plan.mutates, changed) == (Effects.PURE, False, [])
    assert not (plan.uses_store or plan.may_interrupt or plan.sees_identity)


def items_of_distinct(state):
    for item in dict.fromkeys(state["x"]):
        item.append(1)


def value_of_all(state):
    for value in dict.fromkeys(["a"], state["x"]).values():
        value.append(1)


def items_of_a_chain(state):
    for item in itertools.chain.from_iterable(state["x"]):
        item.append(1)


def rows_into_an_operand(state):
    csv.writer(state["x"]).writerow(["a"])


def element_of_an_operand(state):
    ET.SubElement(state["x"], "item")


def indented_operand(state):
    ET.indent(state["x"])


def kept_in_a_tree(state):
    tree: Any = ET.fromstring("<a/>")
    tree.append(state["x"])
    tree[0].append(1)


CHANGING = [
    items_of_distinct,
    value_of_all,
    items_of_a_chain,
    rows_into_an_operand,
    element_of_an_operand,
    indented_operand,
    kept_in_a_tree,
]


@pytest.mark.parametrize("function", CHANGING)
def test_what_changes_an_operand_is_seen(function: Any) -> None:
    assert analyse(function, describe=describe).mutates


REACHING_OUT = {
    "file": lambda s: {"o": open(s["x"]).read()},
    "xml file": lambda s: {"o": ET.parse(s["x"]).getroot().text},
    "printed": lambda s: {"o": print(s["x"])},
    "own class": lambda s: {"o": Noting.fromkeys(s["x"])},
}


class Noting(dict[Any, Any]):
    """Not what the library's own method makes alone."""

    def __setitem__(self, key: Any, value: Any) -> None:
        print(key)


@pytest.mark.parametrize("name", REACHING_OUT)
def test_what_reaches_out_is_not_known_to_compute(name: str) -> None:
    assert analyse(REACHING_OUT[name], describe=describe).effects is Effects.UNKNOWN

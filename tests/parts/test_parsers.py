"""The parsers of real apps take what is shown of a growing answer as they take the whole."""

import pytest
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from pydantic import BaseModel

from alto_langgraph.parts.growing import Growing


class Step(BaseModel):
    name: str
    words: list[str] = []


class Plan(BaseModel):
    title: str
    steps: list[Step]
    remarks: list[str] = []
    done: bool = False


STEPS = [Step(name="a", words=["x", "y"]), Step(name="b"), Step(name="c, d")]
PLAN = Plan(title='Läßt [sich] "machen"', steps=STEPS, remarks=["}"], done=True)


def closed(answer: str) -> list[str]:
    growing = Growing()
    cuts = [growing.cut() for char in answer if growing.feed(char)]
    return [cut.text for cut in cuts if cut.closed]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_schema_with_defaults_for_later_fields_validates(indent):
    plans = [Plan.model_validate_json(text) for text in closed(PLAN.model_dump_json(indent=indent))]

    assert [(plan.title, plan.steps, plan.remarks, plan.done) for plan in plans] == [
        (PLAN.title, PLAN.steps[:1], [], False),
        (PLAN.title, PLAN.steps[:2], [], False),
        (PLAN.title, PLAN.steps, [], False),
        (PLAN.title, PLAN.steps, ["}"], False),
    ]


def test_parsers_that_look_for_a_fence_find_it():
    texts = closed(f"Here you are:\n```json\n{PLAN.model_dump_json(indent=1)}\n```\n")

    assert [len(JsonOutputParser().parse(text)["steps"]) for text in texts] == [1, 2, 3, 3]
    assert [PydanticOutputParser(pydantic_object=Plan).parse(text).steps for text in texts] == [
        PLAN.steps[:count] for count in (1, 2, 3, 3)
    ]


def test_calls_in_tags_are_shown_whole():
    call = '<tool_call>\n{"name": "f", "arguments": {"of": [1, 2]}}\n</tool_call>'
    answer = f"I look.\n{call}\n{call}\n{call}"

    assert closed(answer) == [f"I look.\n{call}", f"I look.\n{call}\n{call}", answer]

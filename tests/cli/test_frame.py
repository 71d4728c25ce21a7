"""The frame of `alto`: help, usage, one message per mistake and its exit code."""

import sys
from types import SimpleNamespace

import pytest

import alto_langgraph
from alto_langgraph import cli
from alto_langgraph.exceptions import TargetError


def outcome(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    return ended.value.code


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Makes `alto explain` raise what the test puts in this list."""
    errors: list[Exception] = []

    def command(target: str) -> None:
        """Fail."""
        raise errors[0]

    monkeypatch.setitem(sys.modules, "alto_langgraph.cli.explain", SimpleNamespace(command=command))
    return errors


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("--help") == 0
    printed = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if name not in printed] == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("--version") == 0
    assert capsys.readouterr().out == alto_langgraph.__version__ + "\n"


@pytest.mark.parametrize("words", [["bogus"], ["explain"], ["explain", "a", "b"], ["explain", "--bogus", "a"], ["--bogus"]])
def test_bad_usage_exits_with_2(words: list[str], failing: list[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(*words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err


def test_an_error_of_ours_is_one_message(failing: list[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(TargetError("There is no [bold]x[/bold].", hint="Did you mean `y`?"))
    assert outcome("explain", "x") == 2
    assert capsys.readouterr() == ("", "alto: There is no [bold]x[/bold]. Did you mean `y`?\n")


def test_any_other_error_is_one_message_that_names_debug(failing: list[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(ZeroDivisionError("division by zero"))
    assert outcome("explain", "x") == 2
    assert capsys.readouterr() == ("", "alto: ZeroDivisionError: division by zero. Run again with --debug to see where.\n")


@pytest.mark.parametrize("words", [["--debug", "explain", "x"], ["explain", "x", "--debug"], ["explain", "--debug", "x"]])
def test_debug_shows_the_traceback(words: list[str], failing: list[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(TargetError("There is no x."))
    assert outcome(*words) == 2
    assert capsys.readouterr().err.startswith("Traceback (most recent call last)")


def test_one_command_loads_no_other(failing: list[Exception]) -> None:
    app = cli.build(["explain", "x"])
    assert [command.name for command in app.registered_commands] == ["explain"]

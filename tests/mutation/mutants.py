"""Ways to break each invariant (docs/architecture.md, README) on purpose, and the tests that must then fail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change of the code.

    Args:
        breaks: The invariant, such as `I1`.
        what: What the change does, for the table in docs/testing.md.
        file: Path from the root of the project.
        old: Text that is there once.
        new: What it becomes.
        tests: Files or folders of tests, at least one of which fails then.
    """

    breaks: str
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


ENGINE, PLAN, DRIVER, ADAPTER = "alto_langgraph/engine", "alto_langgraph/plan", "alto_langgraph/driver", "adapters/langgraph"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "I1",
        "events of early tasks go out at once",
        f"{DRIVER}/early.py",
        "if self.released or self.live:",
        "if True:",
        ("tests/adapters/test_events.py",),
    ),
    Mutant(
        "I1",
        "writes of unfinished supersteps are added in the order in which tasks finish",
        f"{ADAPTER}/shadow.py",
        "sorted(steps.get(step, ()), key=lambda entry: self._place(entry[0], likely=not certain))",
        "steps.get(step, ())",
        ("tests/adapters/test_on_state.py",),
    ),
    Mutant(
        "I2",
        "a task passes unfinished ones that write what it reads",
        f"{PLAN}/passing.py",
        "or _touched(early, reads, theirs)",
        "or None",
        ("tests/adapters/test_on_state.py", "tests/engine"),
    ),
    Mutant(
        "I2",
        "what an early task has looked at isn't compared with what its superstep brings",
        f"{ADAPTER}/ahead.py",
        "if value_of(self.loop.channels[key]) is not value:",
        "if False:",
        ("tests/adapters/test_on_state.py",),
    ),
    Mutant(
        "I2",
        "a join's end starts while one of its starts may still come",
        f"{ENGINE}/ledger.py",
        "return other in task.awaits or ",
        "return ",
        ("tests/engine", "tests/adapters/test_joins.py"),
    ),
    Mutant(
        "I2",
        "a guess counts as certain before the router has decided",
        f"{ENGINE}/engine.py",
        "        if guess is None:\n            return self._handlers[type(event)](event)\n",
        "        if guess is None or self._confirm(guess.task.tag) is None:\n            return self._handlers[type(event)](event)\n",
        ("tests/engine", "tests/adapters/test_guesses.py"),
    ),
    Mutant(
        "I3",
        "early work passes breakpoints",
        f"{ADAPTER}/reports.py",
        "((loop.interrupt_before, -1), (loop.interrupt_after, 0))",
        "()",
        ("tests/equivalence/test_promises.py",),
    ),
    Mutant(
        "I3",
        "early work passes nodes that may interrupt",
        f"{PLAN}/model.py",
        "        if blocker.may_interrupt:\n",
        "        if False:\n",
        ("tests/equivalence/test_promises.py", "tests/engine"),
    ),
    Mutant(
        "I4",
        "early tasks keep their provisional names",
        f"{ADAPTER}/prepare.py",
        "if early.id == real.id and early.path == real.path:",
        "if True:",
        ("tests/adapters/test_events.py",),
    ),
    Mutant(
        "I4",
        "early tasks save with the run's checkpointer",
        f"{ADAPTER}/prepare.py",
        "conf[CONFIG_KEY_CHECKPOINTER] = FencedSaver(early)",
        "pass",
        ("tests/adapters/test_retreat.py",),
    ),
    Mutant(
        "I5",
        "nodes whose effects can't be told pass those that edges put before them",
        f"{PLAN}/passing.py",
        "            or self._ordered(mine, theirs, distance)\n",
        "",
        ("tests/adapters/test_on_state.py", "tests/plan", "tests/explain"),
    ),
    Mutant(
        "I2",
        "an early task goes on when it asks for a key that its earlier runs haven't read",
        f"{ADAPTER}/observing.py",
        "if self.early is not None and key not in self.early.reads:",
        "if False:",
        ("tests/equivalence/test_observed_reads.py",),
    ),
    Mutant(
        "I2",
        "nodes are watched whose code may look past the view",
        f"{PLAN}/inspection.py",
        " and by_keys(function):",
        ":",
        ("tests/plan/test_named.py",),
    ),
    Mutant(
        "I5",
        "tasks pass others that use the same object outside the state",
        f"{PLAN}/model.py",
        "if use.key == theirs.key and (theirs.writes or use.writes) and use.key in self._looked_at:",
        "if False:",
        ("tests/equivalence/test_promises.py", "tests/engine"),
    ),
    Mutant(
        "I6",
        "the window has no end",
        f"{ENGINE}/engine.py",
        "while self._ready and self.occupancy < self.window and not self._between:",
        "while self._ready and not self._between:",
        ("tests/engine",),
    ),
    Mutant(
        "I6",
        "what nobody will use runs on",
        f"{ADAPTER}/carrying.py",
        "        if early.future is not None:\n            early.future.cancel()\n            self._abandoned.append(early)\n",
        "",
        ("tests/adapters/test_leaving.py",),
    ),
    Mutant(
        "I7",
        "each finished task looks at all pending writes again",
        f"{ADAPTER}/loop.py",
        "if len(pending) < WIDE or task_id == NULL_TASK_ID:",
        "if True:",
        ("tests/adapters/test_width.py",),
    ),
    Mutant(
        "I7",
        "supersteps of quick nodes are watched for ever",
        f"{DRIVER}/tempo.py",
        "return all(self._quick.get(node, 0) >= ENOUGH for node in nodes)",
        "return False",
        ("tests/driver",),
    ),
    Mutant(
        "I8",
        "an error of alto's own ends the run",
        f"{ADAPTER}/carrying.py",
        "except Exception as error:  # whatever alto gets wrong",
        "except ZeroDivisionError as error:  # whatever alto gets wrong",
        ("tests/adapters",),
    ),
    Mutant(
        "I8",
        "a LangGraph outside the tested range is taken for one inside",
        f"{ADAPTER}/seam.py",
        "return None if first <= installed < beyond else ",
        "return None if True else ",
        ("tests/adapters", "tests/face"),
    ),
    Mutant(
        "I1",
        "a fragment stands for whatever is sent in its place",
        f"{ADAPTER}/fragments.py",
        "return same(self._seen(one.node, one.arg), self._seen(other.node, other.arg))",
        "return True",
        ("tests/adapters/test_streaming.py",),
    ),
    Mutant(
        "I1",
        "a fragment's own objects come into the state",
        f"{ADAPTER}/fragments.py",
        "early.borrowed = mine - theirs",
        "early.borrowed = frozenset()",
        ("tests/adapters/test_streaming.py",),
    ),
    Mutant(
        "I1",
        "callbacks hear of replays",
        f"{ADAPTER}/unheard.py",
        '"callbacks": None, ',
        "",
        ("tests/adapters/test_streaming.py",),
    ),
    Mutant(
        "I5",
        "code that changes something outside the state is run again on a part of an answer",
        f"{PLAN}/candidates.py",
        '            if use.writes:\n                yield Reason("outside", use.name, f"`{name}` changes',
        '            if False:\n                yield Reason("outside", use.name, f"`{name}` changes',
        ("tests/adapters/test_streaming.py",),
    ),
    Mutant(
        "I5",
        "a fragment starts though its node can't be run again",
        "alto_langgraph/engine/engine.py",
        "if task.node not in self.repeatable and task.provisional:",
        "if False:",
        ("tests/engine/test_streamed.py",),
    ),
    Mutant(
        "I2",
        "a part of a reduction counts as closed whatever is unfinished below it",
        f"{ENGINE}/closing.py",
        "or ancestry.is_closed(task.tag, level)",
        "or True",
        ("tests/engine/test_closing.py",),
    ),
    Mutant(
        "I1",
        "one early result stands for several equal ones",
        f"{DRIVER}/matching.py",
        "at = other + 1",
        "at = other",
        ("tests/adapters/test_holes.py",),
    ),
    Mutant(
        "I1",
        "what is sent on a part with holes is taken to have its place",
        f"{ADAPTER}/fragments.py",
        "certain = placed and ",
        "certain = ",
        ("tests/adapters/test_holes.py",),
    ),
    Mutant(
        "I1",
        "what a task has written whose place nobody knows is added to the state",
        f"{ADAPTER}/naming.py",
        "self._likely.get(index) if likely else None",
        "self._likely.get(index)",
        ("tests/adapters/test_holes.py",),
    ),
    Mutant(
        "I4",
        "a task whose place nobody knows is told a tag",
        f"{ADAPTER}/current.py",
        "if tag is None or tag.is_placed:",
        "if True:",
        ("tests/adapters/test_holes.py",),
    ),
    Mutant(
        "I5",
        "a part of an answer goes through nodes that do more than compute",
        f"{PLAN}/relays.py",
        "and not any(self._why_not(node))",
        "",
        ("tests/adapters/test_relays.py", "tests/plan/test_agents.py"),
    ),
    Mutant(
        "I6",
        "the budget of replays is each node's own",
        f"{ADAPTER}/replaying.py",
        "self._meter, self.over = Meter(self._budget), False",
        "self._meter, self.over = Meter(type(self._budget)()), False",
        ("tests/adapters/test_streaming.py",),
    ),
    Mutant(
        "I2",
        "what would be sent on a part of a reduction starts though a larger part doesn't bear it out",
        f"{ADAPTER}/gathering.py",
        "replays.over |= not self._known",
        "self._known = True",
        ("tests/adapters/test_holes.py",),
    ),
    Mutant(
        "I2",
        "deferred nodes that something led to before are passed",
        f"{ENGINE}/ledger.py",
        "        self._late |= deferred\n",
        "",
        ("tests/equivalence/test_found_by_fuzz.py",),
    ),
    Mutant(
        "I6",
        "what runs ahead takes all places of `max_concurrency`",
        f"{ADAPTER}/loop.py",
        "self.spare = Spare(most - 1)",
        "self.spare = Spare(most)",
        ("tests/equivalence/test_found_by_fuzz.py",),
    ),
    Mutant(
        "I2",
        "a tool that looks at the state gets one that isn't there yet",
        f"{ADAPTER}/payloads.py",
        "return keys if again and known else None",
        "return keys",
        ("tests/adapters/test_agent_tools.py",),
    ),
    Mutant(
        "I5",
        "nodes that ask something past LangChain are run again on parts of answers",
        f"{PLAN}/candidates.py",
        "for text in part.evidence if text.startswith(ASKS)):",
        "for text in part.evidence if False):",
        ("tests/adapters/test_ways_of_asking.py", "tests/plan"),
    ),
)

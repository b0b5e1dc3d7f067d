"""Read a policy from JSON and say everything that is wrong with it, each problem with its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from ipse.decision.policy.clause_reading import ClauseReader
from ipse.decision.policy.evaluation import MANDATORY
from ipse.decision.policy.fields import money_of
from ipse.decision.policy.model import Band, Group, LivenessMethod, Outcome, Policy, Rule
from ipse.decision.policy.problems import InvalidPolicy, PolicyProblem
from ipse.decision.values import JsonValue, is_list, items_of

MOST_RULES: Final = 100
LONGEST_NAME: Final = 64

_KEYS: Final = frozenset({"name", "description", "rules", "clean", "methods", "otherwise"})
_RULE_KEYS: Final = frozenset({"id", "when", "then", "reason", "method", "workflow", "unless_clean", "if_unknown"})
_BAND_KEYS: Final = frozenset({"up_to", "method", "workflow"})

Choice = TypeVar("Choice", bound=StrEnum)


def read_policy(
    value: JsonValue, *, workflows: Collection[str] | None = None, lists: Collection[str] | None = None
) -> Policy:
    """Return the policy that ``value`` describes.

    ``workflows`` and ``lists`` are the names that exist in the application; None does not look.

    Raises:
        InvalidPolicy: with every problem.
    """
    return _Reader(workflows, lists).read(value)


class _Reader:
    def __init__(self, workflows: Collection[str] | None, lists: Collection[str] | None) -> None:
        self._problems: list[PolicyProblem] = []
        self._workflows = workflows
        self._clauses = ClauseReader(self._problem, lists)

    def read(self, value: JsonValue) -> Policy:
        if not isinstance(value, Mapping):
            raise InvalidPolicy([PolicyProblem("", "not_an_object", "A policy is a JSON object.")])
        self._unknown_keys(value, _KEYS, "")
        name = value.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
            self._problem("name", "bad_name", f"A policy has a name of 1 to {LONGEST_NAME} characters.")
        rules = self._rules(value.get("rules", []))
        bands = self._bands(value.get("methods"))
        otherwise = self._choice(
            value.get("otherwise", Outcome.STEP_UP.value), (Outcome.STEP_UP, Outcome.ALLOW), "otherwise"
        )
        clean = self._clean(value.get("clean"))
        if clean is None and any(rule.unless_clean for rule in rules):
            self._problem("clean", "no_clean", "A rule says unless_clean, but the policy does not say what clean is.")
        if self._problems:
            raise InvalidPolicy(self._problems)
        assert otherwise is not None
        return Policy(str(name), rules, clean, bands, otherwise)

    def _problem(self, path: str, code: str, message: str) -> None:
        self._problems.append(PolicyProblem(path, code, message))

    def _unknown_keys(self, value: Mapping[str, JsonValue], known: Collection[str], path: str) -> None:
        """A misspelt key would silently weaken a policy."""
        for key in value:
            if key not in known:
                place = f"{path}.{key}" if path else key
                self._problem(
                    place, "unknown_key", f"'{key}' means nothing here; known are {', '.join(sorted(known))}."
                )

    def _choice(self, value: JsonValue, choices: Sequence[Choice], path: str) -> Choice | None:
        for choice in choices:
            if value == choice.value:
                return choice
        self._problem(path, "bad_choice", f"Use one of {', '.join(choice.value for choice in choices)}.")
        return None

    def _objects(self, value: JsonValue, path: str) -> list[tuple[str, Mapping[str, JsonValue]]]:
        """Return the objects of a list with their places, and a problem for everything else."""
        if not is_list(value):
            self._problem(path, "not_a_list", "This is a list.")
        found: list[tuple[str, Mapping[str, JsonValue]]] = []
        for position, item in enumerate(items_of(value)):
            if isinstance(item, Mapping):
                found.append((f"{path}[{position}]", item))
            else:
                self._problem(f"{path}[{position}]", "not_an_object", "This is an object.")
        return found

    def _rules(self, value: JsonValue) -> tuple[Rule, ...]:
        rules: list[Rule] = []
        taken = {rule.id for rule in MANDATORY} | {"clean", "otherwise"}
        if len(items_of(value)) > MOST_RULES:
            self._problem("rules", "too_many", f"A policy has at most {MOST_RULES} rules.")
        for path, item in self._objects(value, "rules"):
            self._unknown_keys(item, _RULE_KEYS, path)
            rule_id = item.get("id")
            if not isinstance(rule_id, str) or not 0 < len(rule_id) <= LONGEST_NAME:
                self._problem(f"{path}.id", "bad_id", f"A rule has an id of 1 to {LONGEST_NAME} characters.")
            elif rule_id in taken:
                self._problem(f"{path}.id", "repeated_id", f"The id '{rule_id}' is taken.")
            else:
                taken.add(rule_id)
            rule = self._rule(str(rule_id), item, path)
            if rule is not None:
                rules.append(rule)
        return tuple(rules)

    def _rule(self, rule_id: str, item: Mapping[str, JsonValue], path: str) -> Rule | None:
        then = self._choice(item.get("then", Outcome.STEP_UP.value), tuple(Outcome), f"{path}.then")
        when = self._clauses.read(item.get("when"), f"{path}.when")
        reason = item.get("reason", rule_id)
        if not isinstance(reason, str) or not 0 < len(reason) <= LONGEST_NAME:
            self._problem(f"{path}.reason", "bad_reason", f"A reason is text of 1 to {LONGEST_NAME} characters.")
        method, workflow = None, None
        if "method" in item or "workflow" in item:
            method, workflow = self._way(item, path)
            if then is not None and then is not Outcome.STEP_UP:
                self._problem(path, "needless_method", "Only a step_up has a method and a workflow.")
        unless_clean = self._flag(item.get("unless_clean", False), f"{path}.unless_clean")
        if unless_clean and then is Outcome.DENY:
            self._problem(f"{path}.unless_clean", "deny_is_final", "The clean-skip rule cannot suppress a deny.")
        unknown = item.get("if_unknown", "step_up")
        if unknown not in ("step_up", "skip"):
            self._problem(f"{path}.if_unknown", "bad_choice", "Use one of step_up, skip.")
        if then is None or when is None:
            return None
        return Rule(rule_id, when, then, str(reason), method, workflow, unless_clean, unknown == "skip")

    def _flag(self, value: JsonValue, path: str) -> bool:
        if not isinstance(value, bool):
            self._problem(path, "not_a_truth_value", "Use true or false.")
        return value is True

    def _way(self, item: Mapping[str, JsonValue], path: str) -> tuple[LivenessMethod | None, str | None]:
        """Method and workflow stand together: one without the other could contradict what the person is shown."""
        method = self._choice(item.get("method"), tuple(LivenessMethod), f"{path}.method")
        workflow = item.get("workflow")
        if not isinstance(workflow, str) or not workflow:
            self._problem(f"{path}.workflow", "no_workflow", "Name the workflow by its id or its slug.")
            return method, None
        if self._workflows is not None and workflow not in self._workflows:
            self._problem(f"{path}.workflow", "unknown_workflow", f"There is no published workflow '{workflow}'.")
        return method, workflow

    def _clean(self, value: JsonValue) -> Group | None:
        if value is None:
            return None
        clean = self._clauses.read(value, "clean")
        if isinstance(clean, Group) and clean.logic == "all":
            return clean
        if clean is not None:
            self._problem("clean", "not_all", "The clean-skip rule is one `all` of several clauses.")
        return None

    def _bands(self, value: JsonValue) -> tuple[Band, ...]:
        bands: list[Band] = []
        objects = self._objects(value, "methods")
        for position, (path, item) in enumerate(objects):
            self._unknown_keys(item, _BAND_KEYS, path)
            limit = money_of(item.get("up_to"))
            is_last = position == len(objects) - 1
            if is_last and item.get("up_to") is not None:
                self._problem(f"{path}.up_to", "no_open_band", "The last band takes everything: its up_to is null.")
            elif not is_last and limit is None:
                self._problem(f"{path}.up_to", "bad_amount", "Use an amount and a currency; only the last is null.")
            method, workflow = self._way(item, path)
            if method is not None and workflow is not None:
                bands.append(Band(limit, method, workflow))
        if not objects:
            self._problem("methods", "no_methods", "Say with which method and workflow to step up.")
        self._ascending(bands)
        return tuple(bands)

    def _ascending(self, bands: Sequence[Band]) -> None:
        highest: dict[str, Band] = {}
        for band in bands:
            limit = band.up_to
            if limit is None:
                continue
            before = highest.get(limit.currency)
            if before is not None and before.up_to is not None and before.up_to.amount >= limit.amount:
                self._problem("methods", "not_ascending", f"The bands in {limit.currency} do not ascend.")
            highest[limit.currency] = band

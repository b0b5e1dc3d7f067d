"""Read the clauses of a policy: conditions, triggers with their parameters, and groups of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

from ipse.decision.fields import OPERATORS, FieldType
from ipse.decision.operators import Operator, pattern_problem
from ipse.decision.policy.fields import AMOUNT, LONGEST_WINDOW_MINUTES, decimal_of, field_type
from ipse.decision.policy.model import Clause, Condition, Group, TriggerUse
from ipse.decision.policy.triggers import TRIGGERS, Parameter
from ipse.decision.values import JsonValue, as_number, is_list, items_of

Report: TypeAlias = Callable[[str, str, str], None]
"""Takes the path, the code and the message of a problem."""

DEEPEST_NESTING: Final = 5
MOST_CLAUSES: Final = 50
LONGEST_TEXT: Final = 256

_EMPTINESS: Final = (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY)
_CONDITION_KEYS: Final = frozenset({"field", "operator", "value", "value_field", "score", "currency"})


class _Unusable(Exception):
    def __init__(self, path: str, code: str, message: str) -> None:
        super().__init__(message)
        self.path, self.code, self.message = path, code, message


class ClauseReader:
    """Reads clauses; what is wrong goes to ``report``. ``lists`` are the names of existing lists, None for any."""

    def __init__(self, report: Report, lists: Collection[str] | None) -> None:
        self._report = report
        self._lists = lists

    def read(self, value: JsonValue, path: str, depth: int = 1) -> Clause | None:
        """Return the clause at ``path``; None where it has problems."""
        try:
            return self._read(value, path, depth)
        except _Unusable as unusable:
            self._report(unusable.path, unusable.code, unusable.message)
            return None

    def _read(self, value: JsonValue, path: str, depth: int) -> Clause | None:
        if not isinstance(value, Mapping):
            raise _Unusable(path, "not_an_object", "Use an object with all, any, field or trigger.")
        kinds = [kind for kind in ("all", "any", "field", "trigger") if kind in value]
        if len(kinds) != 1:
            raise _Unusable(path, "bad_clause", "Use exactly one of all, any, field and trigger.")
        if kinds[0] == "field":
            return self._condition(value, path)
        if kinds[0] == "trigger":
            return self._trigger(value, path)
        return self._group(value, kinds[0], path, depth)

    def _group(self, value: Mapping[str, JsonValue], logic: str, path: str, depth: int) -> Group | None:
        if set(value) != {logic}:
            raise _Unusable(path, "unknown_key", f"Beside '{logic}' stands nothing else.")
        items = items_of(value[logic])
        if not is_list(value[logic]) or not 0 < len(items) <= MOST_CLAUSES:
            raise _Unusable(f"{path}.{logic}", "bad_group", f"Use a list of 1 to {MOST_CLAUSES} clauses.")
        if depth > DEEPEST_NESTING:
            raise _Unusable(path, "too_deep", f"Clauses nest at most {DEEPEST_NESTING} deep.")
        read = [self.read(item, f"{path}.{logic}[{position}]", depth + 1) for position, item in enumerate(items)]
        clauses = tuple(clause for clause in read if clause is not None)
        if len(clauses) != len(items):
            return None
        return Group("all" if logic == "all" else "any", clauses)

    def _condition(self, value: Mapping[str, JsonValue], path: str) -> Condition:
        for key in value:
            if key not in _CONDITION_KEYS:
                raise _Unusable(f"{path}.{key}", "unknown_key", f"'{key}' means nothing in a condition.")
        kind = self._field(value["field"], f"{path}.field")
        name = value.get("operator")
        if not isinstance(name, str) or name not in {member.value for member in Operator}:
            raise _Unusable(f"{path}.operator", "unknown_operator", f"There is no operator '{name}'.")
        operator = Operator(name)
        if operator not in OPERATORS[kind]:
            raise _Unusable(
                f"{path}.operator", "unfit_operator", f"'{operator}' does not fit '{value['field']}', a {kind}."
            )
        other = value.get("value_field")
        if other is not None:
            if "value" in value:
                raise _Unusable(path, "two_values", "Use value or value_field, not both.")
            self._field(other, f"{path}.value_field")
        elif operator not in _EMPTINESS:
            wanted = _wanted(operator, kind, value.get("value"))
            if wanted is not None:
                raise _Unusable(f"{path}.value", "bad_value", wanted)
        currency = self._currency(value, operator, path)
        score = as_number(value.get("score"))
        return Condition(
            str(value["field"]), operator, value.get("value"), None if other is None else str(other), score, currency
        )

    def _field(self, value: JsonValue, path: str) -> FieldType:
        kind = field_type(value) if isinstance(value, str) else None
        if kind is None:
            raise _Unusable(path, "unknown_field", f"There is no field '{value}'.")
        return kind

    def _currency(self, value: Mapping[str, JsonValue], operator: Operator, path: str) -> str | None:
        currency = value.get("currency")
        is_amount = value["field"] == AMOUNT and operator not in _EMPTINESS
        if is_amount and not (isinstance(currency, str) and currency):
            raise _Unusable(f"{path}.currency", "no_currency", "Amounts are compared in one currency: name it.")
        if not is_amount and currency is not None:
            raise _Unusable(f"{path}.currency", "needless_currency", f"Only {AMOUNT} has a currency.")
        return currency.upper() if isinstance(currency, str) else None

    def _trigger(self, value: Mapping[str, JsonValue], path: str) -> TriggerUse:
        name = value["trigger"]
        trigger = TRIGGERS.get(name) if isinstance(name, str) else None
        if trigger is None:
            known = ", ".join(TRIGGERS)
            raise _Unusable(f"{path}.trigger", "unknown_trigger", f"There is no trigger '{name}'; known: {known}.")
        known_names = {parameter.name for parameter in trigger.parameters}
        for key in value:
            if key != "trigger" and key not in known_names:
                raise _Unusable(f"{path}.{key}", "unknown_key", f"The trigger '{name}' has no parameter '{key}'.")
        parameters: dict[str, JsonValue] = {}
        for parameter in trigger.parameters:
            given = value.get(parameter.name, parameter.default)
            wanted = None if given is None and parameter.optional else _wanted_parameter(parameter, given)
            if wanted is not None:
                raise _Unusable(f"{path}.{parameter.name}", "bad_parameter", wanted)
            parameters[parameter.name] = list(items_of(given)) if parameter.kind == "texts" else given
        return self._checked(TriggerUse(trigger.name, parameters), path)

    def _checked(self, use: TriggerUse, path: str) -> TriggerUse:
        """Look at parameters that belong together, and at the list that a trigger names."""
        if use.name == "amount_over_limit" and (use.parameters["amount"] is None) != (
            use.parameters["currency"] is None
        ):
            raise _Unusable(path, "bad_parameter", "amount and currency stand together.")
        minutes = as_number(use.parameters.get("window_minutes"))
        if minutes is not None and minutes > LONGEST_WINDOW_MINUTES:
            raise _Unusable(
                f"{path}.window_minutes", "bad_parameter", f"At most {LONGEST_WINDOW_MINUTES} minutes (90 days)."
            )
        name = use.parameters.get("name")
        if name is not None and self._lists is not None and name not in self._lists:
            raise _Unusable(f"{path}.name", "unknown_list", f"There is no list '{name}'.")
        return use


def _wanted(operator: Operator, kind: FieldType, value: JsonValue) -> str | None:
    """Say what the value of a condition should have been; None if it is usable."""
    if operator in (Operator.IN, Operator.NOT_IN):
        return None if is_list(value) else "Use a list."
    if operator is Operator.REGEX:
        return pattern_problem(value)
    if kind is FieldType.NUMBER:
        return None if decimal_of(value) is not None else "Use a number."
    if kind is FieldType.BOOLEAN:
        return None if isinstance(value, bool) else "Use true or false."
    return None if isinstance(value, str) else "Use text."


def _wanted_parameter(parameter: Parameter, value: JsonValue) -> str | None:
    """Say what a parameter should have been; None if it is usable."""
    match parameter.kind:
        case "count":
            whole = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 10**6
            return None if whole else "Use a whole number above 0."
        case "number":
            number = as_number(value)
            return None if number is not None and 0 < number <= 10**6 else "Use a number above 0."
        case "amount":
            amount = decimal_of(value)
            return None if amount is not None and amount >= 0 else 'Use an amount, such as "500.00".'
        case "texts":
            texts = [item for item in items_of(value) if isinstance(item, str)]
            usable = is_list(value) and len(texts) == len(items_of(value)) and _among(texts, parameter.choices)
            return None if usable else _choices("a list of texts", parameter.choices)
        case _:
            usable = isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and _among([value], parameter.choices)
            return None if usable else _choices("text", parameter.choices)


def _among(texts: Collection[str], choices: Collection[str]) -> bool:
    return not choices or all(text in choices for text in texts)


def _choices(kind: str, choices: Collection[str]) -> str:
    return f"Use {kind}: {', '.join(choices)}." if choices else f"Use {kind}."

"""One typed language for conditions: JSON → tree → Python or SQL, with an explanation.

A condition is `{"all": […]}`, `{"any": […]}`, `{"not": {…}}` or a test
`{"field": "order.channel", "op": "in", "value": ["web"]}`. Logic is plain boolean logic: an absent
fact matches no test but `is_set: false`, and so matches under `not`.
"""

from config.base.conditions.errors import ConditionError
from config.base.conditions.explanation import LeafResult, causes, explain, holds
from config.base.conditions.nodes import All, AnyOf, Leaf, Node, Not, leaves, to_json
from config.base.conditions.operators import OPERATORS, Op
from config.base.conditions.parser import MAX_DEPTH, MAX_LEAVES, MAX_VALUES, parse
from config.base.conditions.python import compile_python
from config.base.conditions.registry import Family, Field, FieldType, Registry, fields
from config.base.conditions.sql import (
    Column,
    Source,
    Sources,
    Statement,
    select_facts,
    select_members,
    sources,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_LEAVES",
    "MAX_VALUES",
    "OPERATORS",
    "All",
    "AnyOf",
    "Column",
    "ConditionError",
    "Family",
    "Field",
    "FieldType",
    "Leaf",
    "LeafResult",
    "Node",
    "Not",
    "Op",
    "Registry",
    "Source",
    "Sources",
    "Statement",
    "causes",
    "compile_python",
    "explain",
    "fields",
    "holds",
    "leaves",
    "parse",
    "select_facts",
    "select_members",
    "sources",
    "to_json",
]

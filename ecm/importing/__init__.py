"""Import of providers, contracts, service users, care workers and planned visits from CSV and JSON.

The road of a file, in the order of the modules:

1. `text` makes text of its bytes, `csv_rows` and `json_rows` make rows of the text, each with its number (`row`).
2. `kinds` says which columns a kind has; `fields` and `times` say what a cell may hold and why not.
3. `stage` copies the good rows into a temporary table, a batch at a time.
4. `merge` compares the whole table with what is stored and writes the difference, and the to-dos that follow.
5. `run` does all of it in one transaction and answers with a `report`; `door` is its address.
"""

from ecm.importing.door import router
from ecm.importing.kinds import KINDS
from ecm.importing.report import ImportReport
from ecm.importing.run import run_import

__all__ = ["KINDS", "ImportReport", "router", "run_import"]

"""Who gets what at each door: every operation × every asker × whose the thing is.

The operations are read off the application (`operations.py`): all that OpenAPI describes, what is hidden from it, each
export format, the board's socket. Who asks stands in `askers.py`, whose things there are in `world.py`, what may be
read of them in `canary.py`. Which letter stands in a cell follows from `ecm.permit.TABLE` and from what the operation
says of itself (`x-ecm-action`, `x-ecm-public`); it is written down in `expected.txt` for people to read in review:

    A all of the authority's   O its own provider's   M its own visits'   . open to it   - not at all

    PYTHONPATH=. python -m tests.doors.matrix      writes expected.txt anew, after a change that was meant

Three runs ask each cell: with both locks in place, with the application's checks alone (a database that hides nothing),
and with the database's alone (an application that is lied to about who asks and says yes to all; `lying.py`). A cell
is red when the status does not fit, when anything of somebody else's stands in status line, headers, body or log, or
when a row was changed that is not the asker's to change; each change is seen, and taken back (`changes.py`). And each
lock, taken away by itself, must turn a cell red (`mutants.py`).

**To add a route, add a row**, in `tests/doors/rows/<feature>.py`, a file of your own:

    from tests.doors.row import Row

    ROWS = [
        Row("GET /v1/things"),                                           # a list narrows itself
        Row("GET /v1/things/{visit_id}"),                                # path: filled from the things of the world
        Row("POST /v1/things/{visit_id}/end", body=lambda t, _: {"visit": t.visit_ref}, ok=201),
    ]

`Row` (`row.py`) explains each of its fields; `Things` (`world.py`) names what a path or a body may be filled with. If
your route has a table of its own, give `world.py` a row of it, with a canary in each column of text. A row that is
missing, or whose operation is gone, fails `test_every_door_has_a_row`, which says what to write.
"""

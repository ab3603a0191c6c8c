"""Who did what, to whom and why, as a chain nobody can change unnoticed; and the means to prove it.

    entry    what is written down, and its parts: refs that stay, words that can be erased
    chain    how entries hold on to one another, and the first one that does not: pure
    writing  one more entry, in the transaction of what it tells of
    verify   the chain in the database, against itself and against heads kept elsewhere
    export   the head of each tenant's chain, told once a day to somebody outside
    erase    the words of entries about somebody

The links are made by the table itself (migration `audit_chain`), whoever writes; `chain` works them out again.
"""

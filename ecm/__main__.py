"""`python -m ecm` and `ecm` are the same."""

from ecm.cli import main

if __name__ == "__main__":
    main()

"""`python -m archdsl` is the command line."""

from archdsl.commands import main

if __name__ == "__main__":
    main()

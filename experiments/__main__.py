"""`python -m experiments` is the command `smfg`."""

from experiments.cli import main

if __name__ == "__main__":
    main()

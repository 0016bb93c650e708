"""The command `leadgate`."""

from leadgate.cli import main

if __name__ == "__main__":
    main()

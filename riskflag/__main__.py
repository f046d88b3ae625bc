"""`python -m riskflag` is the command `riskflag`."""

from riskflag.cli import main

main()

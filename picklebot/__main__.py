"""`python -m picklebot` is `picklebot`."""

from picklebot.cli.main import main

main()

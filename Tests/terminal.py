#!/usr/bin/env python3
"""Runs a program whose standard error, and standard output too, is a terminal, and prints what it has written to it.

    Tests/terminal.py COLUMNS COMMAND…       ends with the program's exit code
"""
import fcntl
import os
import pty
import struct
import sys
import termios

columns, command = int(sys.argv[1]), sys.argv[2:]
child, master = pty.fork()
if child == 0:
  # The size is there before the program looks for it.
  fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
  os.execvp(command[0], command)
written = b""
while True:
  try: part = os.read(master, 65536)
  except OSError: break
  if not part: break
  written += part
sys.stdout.buffer.write(written)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

"""Runs a command in a pseudo-terminal of 140 by 50 and joins it to standard input and output."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 140, 0, 0))
sources = [terminal, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    try:
        if terminal in ready:
            said = os.read(terminal, 65536)
            if not said:
                break
            os.write(1, said)
        if 0 in ready:
            typed = os.read(0, 65536)
            if not typed:
                break
            os.write(terminal, typed)
    except OSError:
        break
# Whatever it has started too; and the terminal goes away from what is left.
try:
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
except (ProcessLookupError, ChildProcessError):
    pass
os.close(terminal)

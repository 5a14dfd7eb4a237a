"""`python -m demo`: the whole program on one machine, for trying it out."""

import signal

if __name__ == "__main__":
    # Python would print a traceback for a Ctrl-C before the supervisor handles signals.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from demo.start import main

    main()

"""Where the command `adaptnet` begins: it imports next to nothing itself."""

import importlib
import signal


def main() -> None:
    """Run the command line; Ctrl+C before or after its work ends it without a traceback.

    Python's own handler raises KeyboardInterrupt wherever the program happens to be, in the middle
    of an import or while the interpreter shuts down. So SIGINT ends the process as it ends others,
    but for the time in which a command works (:func:`scenarios.cli.session.stopped_by_signals`).
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is to be ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    importlib.import_module("scenarios.cli").main(prog_name="adaptnet")

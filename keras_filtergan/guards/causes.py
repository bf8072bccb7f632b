"""Why something failed, in one line: what TensorFlow and Keras wrap around it, taken off.

Nothing of TensorFlow is needed to read what it says, so this costs a command no time to import.
"""

import re

LENGTH = 400  # a line that can still be read
OUT_OF_MEMORY = {"ResourceExhaustedError", "MemoryError"}

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_WRAPPED = re.compile(r"(\w+: )?Exception encountered when calling (?:layer )?(.+?)\.(?:\n|$)")
_INNER = re.compile(r".*Exception encountered: ", re.DOTALL)  # of a file that cannot be loaded
_ARGUMENTS = re.compile(r"\n\s*Arguments received by .*", re.DOTALL)
_DETECTED = re.compile(r"Detected at node (\S+) defined at \(most recent call last\):")
_TRACEBACK = re.compile(r"(Detected at node .*|Traceback \(most recent call last\)):\s*$")
_ROOT = re.compile(r"root error\(s\) found\.\s*\(0\) (?:[A-Z_]+: )?(.*?)\n\s*\(1\) ", re.DOTALL)
_DEFINITION = re.compile(r"'?\{\{node (\S+?)\}\} = .*?\)'?(?= with | \[|$)", re.MULTILINE)
_NODE = re.compile(r"\[\[(?:\{\{node )?(\S+?)(?:\}\})?\]\]")
_OPERATION = re.compile(r"\s*\[Op:(\w+)\](?: name: ?\S*)?")
_NOISE = (
    re.compile(r"\{\{function_node [^}]*\}\}\s*"),
    re.compile(r"^\s*(Graph execution error:|in user code:|<stack traces unavailable>)", re.M),
    re.compile(r"^\s*Hint: If you want to see a list of allocated tensors.*$", re.MULTILINE),
    re.compile(r"/job:localhost/replica:0/task:0/device:"),
)


def cause_of(error: BaseException) -> str:
    """What went wrong and where, in one line.

    TensorFlow puts "Graph execution error:" and a traceback of the graph before what its operation
    said, and names of nodes behind it; Keras and AutoGraph wrap it once more. What is left is the
    message of the innermost error, then in brackets the node of the graph, the layer's class or the
    operation that it came from, whichever is known first.

    Args:
        error: of any kind. One that says nothing is told by what it was raised from.

    Example:
        >>> cause_of(error)
        'assertion failed: [no more paper] (at classifier/printer/Assert)'
    """
    text = _said(error)
    detected = _DETECTED.search(text)
    text = _inside_user_code(_without_tracebacks(text))
    text = _INNER.sub("", text)
    root = _ROOT.search(text)
    text = root[1] if root else text
    wrapped = _WRAPPED.findall(text)
    text = _ARGUMENTS.sub("", _WRAPPED.sub("", text))
    node = detected or _DEFINITION.search(text) or _NODE.search(text)
    operation = _OPERATION.search(text)
    text = _OPERATION.sub("", _NODE.sub("", _DEFINITION.sub(r"\1", text)))
    for noise in _NOISE:
        text = noise.sub("", text)
    line = _shortened(" ".join(text.split()))
    if node and node[1] not in line:
        return f"{line} (at {node[1]})"
    if wrapped and not node:
        return f"{line} (in {wrapped[-1][1]})"
    if operation and not node and not operation[1].startswith("__"):
        return f"{line} (in {operation[1]})"
    return line


def is_out_of_memory(error: BaseException) -> bool:
    """Whether there was too little memory, as TensorFlow, NumPy or Python say it."""
    return bool(OUT_OF_MEMORY & {kind.__name__ for kind in type(error).__mro__})


def _said(error: BaseException) -> str:
    """What an error says, or else what the one says that it came from."""
    text = getattr(error, "message", None)  # of TensorFlow's, without a word on the operation
    text = text if isinstance(text, str) else str(error)
    origin = error.__cause__ or error.__context__
    if text.strip() or origin is None:
        return _COLOUR.sub("", text)
    return f"{type(origin).__name__}: {_said(origin)}"


def _without_tracebacks(text: str) -> str:
    """The text without the indented lines of tracebacks, and without what is said again after."""
    kept: list[str] = []
    inside = left = False
    for line in text.splitlines():
        if _TRACEBACK.match(line):
            inside = True
        elif not inside or line[:2].strip():
            left, inside = left or inside, False
            if not left or all(line.strip() not in before for before in kept):
                kept.append(line)
    return "\n".join(kept)


def _inside_user_code(text: str) -> str:
    """What follows the last place in the code that AutoGraph names, each with the line there."""
    lines = text.splitlines()
    places = [i for i, line in enumerate(lines) if re.match(r'\s+File ".*", line \d+', line)]
    return "\n".join(lines[places[-1] + 2 :]) if places else text


def _shortened(line: str) -> str:
    return line if len(line) <= LENGTH else line[: LENGTH - 1] + "…"

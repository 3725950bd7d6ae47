"""What other pages, scanners and broken programs send (fault 24)."""

FOREIGN_KINDS = [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/octet-stream", "text/json", "",
]  # fmt: skip

TRAVERSALS = [
    "/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
    "/..%5c..%5cetc%5cpasswd", "/%252e%252e/etc/passwd", "/assets/..%c0%af../etc/passwd",
    "/docs/static/..%2f..%2f__init__.py", "//etc/passwd", "/assets/%2e%2e/%2e%2e/main.py",
    "/api/v1/datasets/..%2f..%2fsystem%2finfo", "/api/v1/../../etc/passwd",
    "/api/v1/trainings/%2e%2e%2f%2e%2e/checkpoints", "/" + "long" * 1_250,
    "/assets/" + "long" * 1_250, "/docs/static/" + "long" * 1_250,
]  # fmt: skip

ODD_PATHS = [
    "../../etc/passwd", "/etc/../etc/shadow\x00.txt", "..\\..\\x", "file:///etc/passwd",
    "http://127.0.0.1/x", "//host/share", "C:\\windows", "~nobody-of-this-name/x",
    "/" + "long" * 1_250,
]  # fmt: skip

ODD_JSON = [
    '{"name": "x", "hyperparameters": {"learning_rate": NaN}}',
    '{"name": "x", "hyperparameters": {"learning_rate": Infinity}}',
    '{"name": "x", "hyperparameters": {"learning_rate": 1e999}}',
    '{"name": "x", "hyperparameters": {"seed": 99999999999999999999}}',
    '{"name": "x", "hyperparameters": {"k": ' + "9" * 5000 + "}}",
    '{"name": "x", "hyperparameters": {"k": 1e400}}',
    '{"name": "x\\u0000"}',
    '{"name": "\\ud800"}',
    '{"na\\u0000me": "x"}',
    '{"name": "x", "description": "tail\\udfff"}',
    '{"name": ' + "[" * 60 + "]" * 60 + "}",
    "[" * 100_000,
    '{"a":' * 50_000,
    '{"name": ' * 400 + "1" + "}" * 400,
    *('"text"', "[]", "null", "1", "{", '{"name": "x"', "\ufeff{}"),
]
# Bodies below the limit of bytes whose values or names would be counted up in an answer.
CROWDED_JSON = {
    '{"name": [' + ",".join(["{}"] * 260_000) + "]}": "more than 250,000 values",
    "{" + ",".join(f'"k{number}": 1' for number in range(100_000)) + "}": "more than 1,000 fields",
    '{"hyperparameters": {' + ",".join(f'"k{n}": 1' for n in range(1_001)) + "}}": "1,000 fields",
}
ODD_TOKENS = ["hf_odd\nhf_canary", "hf_odd hf_canary", "hf_canary\u00e9", "hf_canary\x7f"]
ODD_BYTES = [b'{"name": "\xff\xfe"}', b"\xff\xfe{\0}\0", b"\x80", b"\0"]

ODD_QUERIES = [
    "page=0", "page=-1", "page=99999999999999999999", "page=1e3", "page=NaN", "limit=201",
    "limit=-1", "limit=", "sort_by=id;drop", "sort_by=__class__", "order=up", "status=ready'--",
    "search=" + "x" * 201, "search=%00", "page=%EF%BC%91x",
]  # fmt: skip
ODD_SEARCHES = ["search=%ff%fe", "search=%25_%5C", "search=%ed%a0%80", "x=1&x=2"]
ODD_IDS = [
    "0", "-1", "9223372036854775808", "1e3", "0x1", "%EF%BC%91x", "1%00", "abc", "%20", "1.5",
]  # fmt: skip

ODD_METHODS = ["TRACE", "CONNECT", "PROPFIND", "BREW", "OPTIONS"]
ODD_LENGTHS = ["-1", "1e9", "99999999999999", "\u00b2", "0x10"]
ODD_FILENAMES = [
    "../../x.txt", "..\\..\\x.txt", "/etc/cron.d/x.txt", "a/b.txt", ".x.txt", "x\n.txt",
]  # fmt: skip

ADDRESSES_AS_REPOS = [
    "http://127.0.0.1:6379/x", "../../x", "a/../b", "127.0.0.1/x:y", "a//b", "a/b/c", "@evil/x",
    "a/b?x=1", "a/b#x", "a\\b", "a/b\nc", "a/b\n", "file:a/b", "a/..", "./a", "a/.", "a/b@c",
    "%2e%2e/x", "evil.example:80/x", "a b/c",
]  # fmt: skip

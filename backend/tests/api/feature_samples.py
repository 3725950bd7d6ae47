"""What tests write on features."""

LENS = {
    "top": [{"token": " cat", "token_id": 2, "logit": 1.5}],
    "bottom": [{"token": " dog", "token_id": 3, "logit": -1.5}],
}

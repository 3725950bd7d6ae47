"""``mistudio demo``: the whole product, driven through its REST interface."""

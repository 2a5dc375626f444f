"""One counter per kind of item, shared by the replicas of a service."""

from sim.models.stock import Stock


class Recorder:
    def __init__(self):
        self.noted = []

    def event(self, kind, subject, value=0.0):
        self.noted.append((kind.word, subject, value))


def test_two_who_looked_at_the_same_number_sell_the_same_unit():
    recorder = Recorder()
    stock = Stock(recorder, "shop", 1, 2)
    one, other = stock.look(0), stock.look(0)
    stock.write(0, one - 1)
    assert stock.oversold == 0
    stock.write(0, other - 1)
    assert (stock.oversold, stock.look(0), stock.look(1)) == (1, 0, 1)
    assert ("oversold", "shop", 0) in recorder.noted


def test_that_a_kind_ran_out_is_told_once():
    """A writer that had looked earlier brings a unit back, which then is sold again."""
    recorder = Recorder()
    stock = Stock(recorder, "shop", 2, 1)
    for left in (0, 1, 0):
        stock.write(0, left)
    assert [noted for noted in recorder.noted if noted[0] == "stock_ran_out"] == [("stock_ran_out", "shop", 0)]


def test_each_kind_runs_out_by_itself():
    stock = Stock(Recorder(), "shop", 2, 2)
    for _ in range(2):
        stock.write(1, stock.look(1) - 1)
    assert (stock.look(0), stock.look(1)) == (2, 0)

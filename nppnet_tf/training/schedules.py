"""Values that follow the epoch; epochs count from 0."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class StepDecay:
    """A learning rate that drops at given epochs (Sec. 4.2).

    Attributes:
        initial: Value of the first epochs.
        drop_epochs: Epochs from which the value is multiplied once more.
        factor: Factor of each drop.
    """

    initial: float
    drop_epochs: tuple[int, ...] = ()
    factor: float = 0.1

    def __call__(self, epoch: int) -> float:
        """Returns the value of an epoch."""
        drops = sum(epoch >= drop for drop in self.drop_epochs)
        return self.initial * self.factor**drops


@dataclasses.dataclass(frozen=True)
class Ramp:
    """A weight that is 0, grows linearly and stays.

    Attributes:
        final: Value after the ramp.
        start_epoch: First epoch whose value is not 0.
        ramp_epochs: Epochs of growth; with 0 the first value is the final one.
    """

    final: float
    start_epoch: int = 0
    ramp_epochs: int = 0

    def __call__(self, epoch: int) -> float:
        """Returns the value of an epoch."""
        if epoch < self.start_epoch:
            return 0.0
        steps = epoch - self.start_epoch + 1
        return self.final * min(1.0, steps / (self.ramp_epochs + 1))

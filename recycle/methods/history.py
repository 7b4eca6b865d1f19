"""Pool of past fakes: discriminators see old ones beside new ones (Shrivastava et al. 2017, section 2.3)."""

import random
from typing import Any

import torch
from torch import Tensor


class HistoryPool:
    """Keeps up to `capacity` pictures of one domain and draws with a random generator of its own.

    >>> pool = HistoryPool(capacity=2)
    >>> [int(pool.query(torch.full((1, 3, 1, 1), step))[0, 0]) for step in range(8)]  # old ones come back later
    [0, 1, 1, 3, 2, 5, 4, 6]
    """

    def __init__(self, capacity: int, seed: int = 0) -> None:
        self.capacity = capacity
        self._random = random.Random(seed)
        self._pictures: list[Tensor] = []

    def __len__(self) -> int:
        return len(self._pictures)

    def seed(self, seed: int) -> None:
        """Starts the random generator anew; pictures stay."""
        self._random.seed(seed)

    def query(self, pictures: Tensor) -> Tensor:
        """Takes in fresh fakes (N, C, H, W) and gives back as many, in their order: fresh or old ones.

        While there is room, a picture is kept and comes back. After that each comes back with probability 1/2 and
        otherwise changes places with one kept. Pictures of another size than those kept begin the pool anew. With
        capacity 0 the input comes back. Carries no gradient.
        """
        if self.capacity == 0:
            return pictures.detach()
        if self._pictures and self._pictures[0].shape != pictures.shape[1:]:
            self._pictures = []
        return torch.stack([self._query_one(picture) for picture in pictures.detach()])

    def _query_one(self, picture: Tensor) -> Tensor:
        if len(self._pictures) < self.capacity:
            self._pictures.append(picture.clone())
            return picture
        if self._random.random() < 0.5:
            return picture
        place = self._random.randrange(self.capacity)
        old = self._pictures[place]
        self._pictures[place] = picture.clone()
        return old.to(picture)

    def state(self) -> tuple[Tensor | None, list[Any]]:
        """Pictures kept (k, C, H, W), or None where there are none, and the generator's state as JSON can hold it."""
        version, numbers, gauss = self._random.getstate()
        pictures = torch.stack(self._pictures) if self._pictures else None
        return pictures, [version, list(numbers), gauss]

    def load_state(self, pictures: Tensor | None, random_state: list[Any]) -> None:
        """Goes on exactly where `state` was taken."""
        version, numbers, gauss = random_state
        self._random.setstate((version, tuple(numbers), gauss))
        self._pictures = [] if pictures is None else [picture.clone() for picture in pictures]

"""What methods have in common that translate among any number of domains."""

from collections.abc import Sequence

from torch import Tensor

from recycle.config import MethodConfig
from recycle.methods.base import LETTERS, Direction, Method


class ManyWayMethod(Method):
    """A method of `domains` domains, of which the first `kept` are not trained."""

    def __init__(self, config: MethodConfig, domains: int = 2, kept: int = 0) -> None:
        """Raises ValueError for numbers that cannot be."""
        super().__init__(config)
        if not 2 <= domains <= len(LETTERS) or not 0 <= kept < domains:
            raise ValueError(f"{type(self).__name__} of {domains} domains, {kept} of them kept")
        self.domains, self.kept = LETTERS[:domains], LETTERS[:kept]

    @property
    def ways(self) -> list[Direction]:
        """From each domain to all others, to its neighbour first."""
        turned = [self.domains[place:] + self.domains[:place] for place in range(len(self.domains))]
        return [f"{order[0]}_to_{there}" for order in turned for there in order[1:]]

    def samples(self, *windows: Tensor) -> dict[str, Tensor]:
        """Of every domain: source, translated to its neighbour and reconstructed, and translated to each other one."""
        result = {}
        for domain, of_domain in zip(self.domains, windows, strict=True):
            source = result[f"{domain}_source"] = of_domain[:, 0]
            first, *others = [way for way in self.ways if way[0] == domain]
            result[f"{domain}_translated"] = self.translate(source, first)
            result[f"{domain}_reconstructed"] = self.back(result[f"{domain}_translated"], source, first)
            for way in others:
                result[f"{domain}_as {way[-1].upper()}"] = self.translate(source, way)
        return result


def firsts(windows: Sequence[Tensor]) -> list[Tensor]:
    """The first frames (B, 3, H, W) of every domain's windows."""
    return [each[:, 0] for each in windows]

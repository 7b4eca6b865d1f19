"""The running mean of weights and of batch statistics."""

import numpy as np
import pytest
import torch

from recycle.training.ema import EMA


def test_the_running_mean_is_the_formula_of_its_steps():
    network = torch.nn.Linear(2, 1)
    ema = EMA({"generator": network}, decay=0.9)
    assert set(ema.weights) == {"generator.weight", "generator.bias"}
    mean = network.weight.detach().double().numpy().copy()
    for step in range(1, 101):
        with torch.no_grad():
            network.weight.copy_(torch.tensor([[float(step), -2.0 * step]]))
        ema.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * np.array([[step, -2.0 * step]])
    assert np.allclose(ema.weights["generator.weight"].numpy(), mean, rtol=1e-5)
    own = network.weight.detach().clone()
    with pytest.raises(KeyError), ema.applied():
        assert torch.equal(network.weight, ema.weights["generator.weight"])
        raise KeyError
    assert torch.equal(network.weight, own)


def test_batch_statistics_are_averaged_with_the_weights_they_belong_to():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1))
    ema = EMA({"generator": network}, decay=0.5)
    network[1].running_mean.fill_(4.0)
    ema.update(100)
    assert ema.weights["generator.1.running_mean"].item() == 2.0
    with ema.applied():
        assert network[1].running_mean.item() == 2.0
    assert network[1].running_mean.item() == 4.0
    assert not any(name.endswith("num_batches_tracked") for name in ema.weights)

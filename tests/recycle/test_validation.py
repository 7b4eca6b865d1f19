"""Options that a method cannot honour are refused before any work, by their flag."""

from dataclasses import replace

import pytest

from recycle.config import (
    PRESETS,
    LossWeights,
    MethodConfig,
    NetworkConfig,
    TrainingConfig,
    from_json,
    to_json,
)
from recycle.methods import METHODS
from recycle.methods.base import Method
from recycle.methods.relatives.manyway import ManyWayMethod
from recycle.methods.ways import OneWayMethod, TwoWayMethod
from recycle.validation import problems


def found(method: str, preset: str = "tiny", **changes: object) -> list[str]:
    """Problems of a method's defaults with `changes` to fields of the configuration, its networks or its weights."""
    config, training = METHODS[method].defaults(preset)
    for name, value in changes.items():
        if hasattr(config, name):
            config = replace(config, **{name: value})
        elif hasattr(config.networks, name):
            config = replace(config, networks=replace(config.networks, **{name: value}))
        elif hasattr(config.weights, name):
            config = replace(config, weights=replace(config.weights, **{name: value}))
        else:
            training = replace(training, **{name: value})
    return problems(method, config, training, preset)


@pytest.mark.parametrize("name", METHODS)
def test_a_row_says_of_its_class_what_it_is(name):
    row = METHODS[name]
    assert row.name == name
    kinds = {"two-way": TwoWayMethod, "one-way": OneWayMethod, "many": ManyWayMethod, "told": Method}
    assert issubclass(row.load(), kinds[row.ways])
    assert bool(row.load().asks) == (row.ways == "told")
    weighted = {term for term, weight in vars(row.weights).items() if weight}
    assert weighted <= row.all_terms <= set(vars(row.weights))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("preset", PRESETS)
def test_defaults_have_no_problems(method, preset):
    assert found(method, preset) == []


@pytest.mark.parametrize(
    ("method", "changes", "flag"),
    [
        ("cyclegan", {"window": 5}, "--window 5"),
        ("recyclegan", {"window": 2}, "--window 2"),
        ("recyclegan", {"recompute": True, "norm": "batch"}, "--recompute: BatchNorm"),
        ("cyclegan", {"recompute": True, "spectral_norm": "both"}, "--recompute: spectral norm"),
        ("cyclegan", {"recompute": True, "generator": "unet", "skips": False}, "--recompute: a U-Net"),
        ("cyclegan", {"save_minutes": 0.0}, "--save-minutes 0"),
        ("pix2pix", {"predictor": "two_view"}, "--predictor two_view"),
        ("cyclegan", {"predictor_filters": 9}, "--predictor-filters 9"),
        ("recyclegan", {"cycle_direction": "forward"}, "--cycle-direction forward"),
        ("cyclegan", {"cycle_direction": "backward", "cycle": 0.0}, "--cycle-direction backward"),
        ("syntheticflow", {"initial_steps": 3}, "--initial-steps 3"),
        ("cartoongan", {"initial_steps": 3, "content": 0.0}, "--initial-steps 3"),
        ("cartoongan", {"initial_steps": -1}, "--initial-steps -1"),
        ("recyclegan", {"l1": 1.0}, "--l1 1: recyclegan"),
        ("cyclegan", {"recycle": 10.0}, "--recycle 10: cyclegan"),
        ("pix2pix", {"cycle": 10.0}, "--cycle 10: pix2pix"),
        ("cartoongan", {"identity": 5.0}, "--identity 5: cartoongan"),
        ("syntheticflow", {"edge": 1.0}, "--edge 1: syntheticflow"),
        ("cyclegan", {"cycle": -1.0}, "--cycle -1"),
        ("cyclegan", {"cycle": float("nan")}, "--cycle nan"),
        ("cyclegan", {"generator": "resnet"}, "--generator 'resnet'"),
        ("cyclegan", {"generator": "unet", "upsampling": "nearest"}, "--upsampling nearest"),
        ("cyclegan", {"discriminator": "pixel", "discriminator_layers": 2}, "--discriminator-layers 2"),
        ("cyclegan", {"discriminator": "pixel", "attention": True}, "--attention"),
        ("cyclegan", {"discriminator_layers": 6}, "--discriminator-layers 6"),
        ("cyclegan", {"init": "kaiming", "init_gain": 1.0}, "--init-gain 1"),
        ("cyclegan", {"init_gain": 0.0}, "--init-gain 0"),
        ("cyclegan", {"size": 34}, "--size 34"),
        ("cyclegan", {"size": 128, "grow": 128}, "--grow 128"),
        ("cyclegan", {"size": 128, "grow": 256}, "--grow 256"),
        ("cyclegan", {"size": 128, "grow": 16}, "--grow 16"),
        ("cyclegan", {"size": 128, "grow": 48}, "--grow 48"),
        ("cyclegan", {"size": 128, "grow": 0}, "--grow 0"),
        ("cyclegan", {"size": 128, "grow": -64}, "--grow -64"),
        ("cyclegan", {"size": 72, "grow": 18}, "--grow 18"),
        ("cyclegan", {"size": 128, "grow": 32, "discriminator_layers": 4}, "--discriminator-layers 4"),
        ("cyclegan", {"pool_size": -1}, "--pool-size -1"),
        ("cyclegan", {"minutes": 1.0}, "--steps and --minutes"),
        ("cyclegan", {"beta1": 1.0}, "--beta1 1"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_its_flag(method, changes, flag):
    lines = found(method, **changes)
    assert len(lines) == 1
    assert lines[0].startswith(flag)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("recyclegan", {"window": 5, "predictor": "two_view", "cycle": 10.0, "identity": 5.0}),
        ("cyclegan", {"cycle_direction": "forward", "adversarial_loss": "hinge", "attention": True}),
        ("cyclegan", {"adversarial": 0.0, "generator": "unet", "norm": "batch"}),
        ("pix2pix", {"discriminator": "pixel", "spectral_norm": "both", "dropout": False}),
        ("cartoongan", {"content": 0.0}),
        ("recyclegan", {"size": 128, "grow": 64}),
        ("recyclegan", {"size": 256, "grow": 32, "predictor": "two_view", "generator": "unet"}),
        ("cyclegan", {"size": 72, "grow": 36}),
        ("syntheticflow", {"cycle": 10.0, "content": 0.0, "generator": "resnet_9blocks", "init": "orthogonal"}),
    ],
)
def test_what_can_be_honoured_is_taken(method, changes):
    assert found(method, **changes) == []


def test_a_two_view_predictor_of_billions_of_weights_has_to_be_asked_for():
    assert "--predictor-filters" in found("recyclegan", "paper", predictor="two_view")[0]
    assert found("recyclegan", "paper", predictor="two_view", predictor_filters=8) == []


def test_all_problems_are_told_at_once():
    lines = found("cyclegan", size=34, window=5, recycle=10.0, minutes=1.0)
    assert [line.split(":")[0] for line in lines] == [
        "--size 34",
        "--window 5",
        "--recycle 10",
        "--steps and --minutes",
    ]


def test_nothing_to_train_is_a_problem():
    assert found("cyclegan", adversarial=0.0, cycle=0.0, identity=0.0) == ["every loss weight is 0: nothing to train"]


def test_settings_of_before_the_u_net_generator_still_read():
    assert from_json(NetworkConfig, {"generator_blocks": 4}).generator == "resnet_4blocks"
    config = MethodConfig(NetworkConfig(norm="batch"), LossWeights(l1=3.0), window=5)
    assert from_json(MethodConfig, to_json(config)) == config
    assert from_json(TrainingConfig, to_json(TrainingConfig())) == TrainingConfig()

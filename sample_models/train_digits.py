"""Handwritten digits of 8 x 8 pixels, a small convolutional classifier.

    python -m lsr_samples.train_digits [--epochs 40] [--out DIR]

writes the bundles DIR/digits and DIR/digits-untrained (the same network at its random start). The images are those of scikit-learn's
`load_digits` (Alpaydin & Kaynak 1998, UCI, CC BY 4.0), which is needed only here: `pip install scikit-learn`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
from lsr_core.networks import architectures
from lsr_core.problems.splits import Architecture, Quantity, Split
from lsr_samples import training

ARGUMENTS = {"image": [1, 8, 8], "channels": [24, 48], "hidden": 32, "classes": 10, "activation": "gelu"}
SEED = 0
BATCH = 64
EPOCHS = 40
WEIGHT_DECAY = 1e-5
N_TRAIN, N_VALIDATION = 1250, 250


def splits() -> tuple[Split, Split, Split]:
    """Shuffled images (n, 1, 8, 8) in [0, 1] with their digits: 1,250 to train, 250 to validate, 297 to test."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = torch.randperm(len(data.images), generator=torch.Generator().manual_seed(SEED))
    images = (torch.from_numpy(data.images).float() / 16)[order, None]
    targets = one_hot(torch.from_numpy(data.target)[order], 10)
    ends = (N_TRAIN, N_TRAIN + N_VALIDATION, len(order))
    parts = [slice(start, end) for start, end in zip((0, *ends), ends, strict=False)]
    train, validation, test = (Split(images[part], targets[part]) for part in parts)
    return train, validation, test


def new_network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return architectures.build("cnn-classifier", ARGUMENTS)


def fit(model: nn.Module, train: Split, epochs: int) -> None:
    """Adam on the cross entropy, in place."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=WEIGHT_DECAY)
    generator = torch.Generator().manual_seed(SEED)
    labels = train.targets.argmax(dim=1)
    for _ in range(epochs):
        order = torch.randperm(len(labels), generator=generator)
        for batch in order.split(BATCH):
            optimiser.zero_grad()
            loss: Tensor = nn.functional.cross_entropy(model(train.inputs[batch]), labels[batch])
            loss.backward()
            optimiser.step()


def problem(*, trained: bool, epochs: int = EPOCHS) -> ClassificationProblem:
    train, validation, test = splits()
    model = new_network()
    if trained:
        fit(model, train, epochs)
    start = (
        "A small convolutional network" + ("" if trained else " at its random start") + ", to tell handwritten digits"
    )
    return ClassificationProblem(
        name="digits" if trained else "digits-untrained",
        title="Handwritten digits" + ("" if trained else ", untrained"),
        description=f"{start} of 8 x 8 pixels apart. Refinement linearises the logits and solves for them in the metric of their Fisher "
        "information; accuracy and log-loss are those of images that neither the training nor the solve has seen.",
        model=model,
        train=train,
        validation=validation,
        test=test,
        output_quantities=tuple(Quantity(f"p({digit})") for digit in range(10)),
        architecture=Architecture("cnn-classifier", dict(ARGUMENTS)),
    )


def main() -> None:
    options = training.asked("Train the digits sample and write its two bundles.", EPOCHS)
    from lsr_core.storage.bundles import save_problem

    data = "scikit-learn's load_digits, shuffled, divided by 16"
    recipe = {
        "script": "lsr_samples.train_digits",
        "data": data,
        "optimiser": "Adam, rate 1e-3",
        "weight_decay": WEIGHT_DECAY,
        "loss": "cross entropy",
        "batch": BATCH,
        "epochs": options.epochs,
        "dtype": "float32",
    }
    seeds = {"data": SEED, "initialisation": SEED, "shuffling": SEED}
    trained = problem(trained=True, epochs=options.epochs)
    save_problem(options.out / "digits", trained, training=recipe, seeds=seeds, overwrite=True)
    untrained = {"script": recipe["script"], "data": data, "epochs": 0, "dtype": "float32"}
    start = problem(trained=False)
    save_problem(options.out / "digits-untrained", start, training=untrained, seeds=seeds, overwrite=True)


if __name__ == "__main__":
    main()

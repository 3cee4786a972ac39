"""The library transformers itself: folders as it saves them, and a regressor with a mask from Python to files that leave."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lsr_core import Split, SupervisedProblem, refine
from lsr_core.intake import state_dicts
from lsr_core.portable.check import BATCHES, evaluate, spread, standalone_of
from lsr_core.portable.graph import explicit

transformers = pytest.importorskip("transformers", reason="transformers is not installed")


def regressor() -> nn.Module:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=12, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, num_labels=1,
        max_position_embeddings=8, attn_implementation="eager", initializer_range=0.5,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config).eval()


class Masked(nn.Module):
    """Tokens and their mask as one tensor; 0 is no token."""

    def __init__(self) -> None:
        super().__init__()
        self.bert = regressor()

    def forward(self, tokens: Tensor) -> Tensor:
        return self.bert(input_ids=tokens, attention_mask=(tokens > 0).long()).logits


@pytest.mark.always
def test_a_zipped_folder_with_its_shards_holds_every_tensor(tmp_path: Path) -> None:
    model = regressor()
    model.save_pretrained(tmp_path / "model", max_shard_size="2KB")
    assert len(list((tmp_path / "model").glob("*-of-*.safetensors"))) > 1
    read = state_dicts.read(Path(shutil.make_archive(str(tmp_path / "model"), "zip", tmp_path / "model")))
    saved = {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
    assert set(read) == set(saved)
    assert all(torch.equal(read[name], saved[name]) for name in saved)


def test_a_masked_regressor_is_refined_and_leaves_in_files(tmp_path: Path) -> None:
    tokens = torch.randint(1, 12, (90, 6), generator=torch.Generator().manual_seed(1))
    tokens[::2, 4:] = 0
    wanted = torch.sin(tokens.double().sum(1, keepdim=True) / (tokens > 0).sum(1, keepdim=True))
    problem = SupervisedProblem("masked", Masked(), *[Split(tokens[i::3], wanted[i::3]) for i in range(3)])
    found = refine(problem, max_rank=12, rank=12)
    assert found.summary.refined.train_mse < 0.5 * found.summary.base.train_mse
    changed = tokens[:9].clone()
    batches = {f"batch_{size}": spread(changed, size) for size in BATCHES}
    for form in ("pt2", "python"):
        path = tmp_path / form
        standalone_of(form).write(
            path, explicit(found.predictor, tokens[:2], plain=standalone_of(form).plain), tokens[:2], "m"
        )
        for key, given in evaluate(path, form, batches).items():
            memory = found.predictor.predict(batches[key])
            assert float((given - memory).abs().max() / memory.abs().max()) <= 1e-12, (form, key)

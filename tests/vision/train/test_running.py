"""What a training keeps while it runs."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from vision.train import running  # noqa: E402 - it imports torch itself


def small():
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))


def test_the_mean_goes_a_share_of_the_way_and_counts_are_copied():
    mean, net = small(), small()
    before = mean[0].weight.clone()
    net[1].num_batches_tracked += 4
    running.follow(mean, net, share=0.25)
    assert torch.allclose(mean[0].weight, before + 0.25 * (net[0].weight - before))
    assert mean[1].num_batches_tracked == 4


def test_a_training_goes_on_where_its_checkpoint_stands(tmp_path):
    net, mean, path = small(), small(), tmp_path / "checkpoint.pt"
    optimiser = torch.optim.AdamW(net.parameters())
    assert running.resumed(path, net, mean, optimiser, unit="steps") == 0
    running.save(path, net, mean, optimiser, done=7, unit="steps")
    again, its_mean = small(), small()
    assert running.resumed(path, again, its_mean, torch.optim.AdamW(again.parameters()), unit="steps") == 7
    assert torch.equal(again[0].weight, net[0].weight)
    assert torch.equal(its_mean[0].weight, mean[0].weight)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]

from SuperResolutionLib.benchmark.operations import count_operations
from SuperResolutionLib.networks import continuation
from SuperResolutionLib.planning import make_plan

HOW = {"device": "cpu", "precision": "float32", "factor": 2}


def of_sr_dcnn(positions):
    """Return the operations of SR-DCNN with two hidden layers of four channels, kernels of 3, for thick voxels, worked out by hand."""
    deconvolution, convolutions = 2 * 3 * 3, 9 * (1 * 4 + 4 * 4 + 4 * 1)
    return 2 * positions * (deconvolution + 2 * convolutions)


def test_the_operations_of_a_network_are_those_worked_out_by_hand():
    work = {"network": "sr_dcnn", "arguments": {"factors": [2], "channels": [4, 4]}, "pieces": [[3, [5, 1, 8]], [1, [2, 1, 8]]]} | HOW
    assert count_operations(work) in (of_sr_dcnn(3 * 40 + 16), of_sr_dcnn(3 * 40 + 16) + 2 * (3 * 40 + 16) * 18)


def test_a_plan_counts_every_piece_with_its_halo_in_every_view(make_network, make_model):
    path, network = make_model("sr_dcnn"), make_network("sr_dcnn")
    beyond = continuation(network)
    plan = make_plan((20, 40, 40), 2, network.halo, 4 * network.working_values, 2, piece_bytes=1 << 19, continued=beyond)
    told = {"axis": "k", "shape": plan.shape, "piece": plan.size, "halo": plan.halo, "views": plan.views, **HOW}
    one = count_operations({"model": str(path), "pieces": [[1, [1, 1, 1]]]} | HOW)
    assert len(plan.pieces) > 1
    assert count_operations({"model": str(path), "plans": [told]}) == one * plan.work
    assert count_operations({"model": str(path), "plans": [told, told]}) == 2 * one * plan.work

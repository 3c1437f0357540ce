from app.attention import NO_INTERVENTION, Intervention


def test_ablated_heads_belong_to_one_layer_each_and_are_sorted():
    intervention = Intervention(ablated_heads=frozenset({(1, 0), (0, 2), (0, 1)}))
    assert intervention.ablated_heads_in(0) == (1, 2)
    assert intervention.ablated_heads_in(1) == (0,)
    assert intervention.ablated_heads_in(2) == ()


def test_equal_interventions_are_one_key():
    assert {NO_INTERVENTION: 1}[Intervention()] == 1
    assert Intervention(causal=True) != NO_INTERVENTION

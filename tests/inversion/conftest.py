import pytest
from toys import LinearGenerator, small_target


@pytest.fixture(scope="module")
def target():
    return small_target()


@pytest.fixture(scope="module")
def generator(target):
    return LinearGenerator(target)

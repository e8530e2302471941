from pipelines.docs import DICTIONARY, data_dictionary


def test_the_data_dictionary_is_what_the_contracts_say():
    written = DICTIONARY.read_text(encoding="utf-8")
    assert written == data_dictionary(), "run `make docs`"

"""What the API takes and gives: types of its own, apart from those inside."""

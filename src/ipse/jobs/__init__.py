"""What runs without being asked: schedules, and the worker that holds them."""

"""Real portraits for the demo and the tests, scenes and attacks made from them. No part of the served product."""

"""What the shop holds before anybody writes to it: a pure function of the seed."""

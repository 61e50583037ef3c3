module bench/screen

go 1.19

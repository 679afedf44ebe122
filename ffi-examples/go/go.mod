module deltawire

go 1.24

-- orm: why="the first one"
CREATE TABLE users (id BIGINT PRIMARY KEY);

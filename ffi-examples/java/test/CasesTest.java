import static java.nio.charset.StandardCharsets.UTF_8;

import deltawire.Decoder;
import deltawire.Delta;
import deltawire.Dialect;
import deltawire.IncompleteException;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Recorded and hand-written streams, and the lines that the command prints of them. */
final class CasesTest {
    private record Case(String name, Path file, byte[] bytes, Dialect dialect, boolean isShort, String lines) {}

    private static List<Case> cases() throws IOException {
        Path folder = Path.of(System.getenv("DELTAWIRE_CASES"));
        List<Case> cases = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve("cases.tsv"))) {
            String[] fields = line.split("\t");
            Path file = folder.resolve(fields[1]);
            cases.add(new Case(fields[0], file, Files.readAllBytes(file), Dialect.of(fields[2]), fields[3].equals("1"),
                    Files.readString(folder.resolve(fields[0] + ".lines"))));
        }
        if (cases.size() < 30) {
            throw new AssertionError(folder + " has " + cases.size() + " cases, which are too few to show anything");
        }
        return cases;
    }

    /** The lines of a stream, cut at these places. */
    private static String lines(Decoder decoder, byte[] bytes, int... cuts) {
        decoder.reset();
        StringBuilder lines = new StringBuilder();
        int from = 0;
        for (int to : cuts) {
            decoder.feed(bytes, from, to - from).forEach(delta -> Lines.append(lines, delta));
            from = to;
        }
        decoder.feed(ByteBuffer.wrap(bytes).position(from)).forEach(delta -> Lines.append(lines, delta));
        decoder.finish().forEach(delta -> Lines.append(lines, delta));
        Lines.appendEnd(lines, decoder.end());
        return lines.toString();
    }

    private static int[] every(int size, int len) {
        int[] cuts = new int[Math.max(0, len - 1) / size];
        Arrays.setAll(cuts, at -> (at + 1) * size);
        return cuts;
    }

    List<Tests.Test> streamsReadAsTheCommandReadsThemHoweverCut() throws IOException {
        List<Tests.Test> tests = new ArrayList<>();
        for (Case c : cases()) {
            tests.add(new Tests.Test(c.name, () -> {
                try (Decoder decoder = new Decoder(Decoder.Options.DEFAULT.dialect(c.dialect))) {
                    Tests.equal(lines(decoder, c.bytes), c.lines);
                    for (int size : new int[] {1, 7, 64}) {
                        Tests.equal(lines(decoder, c.bytes, every(size, c.bytes.length)), c.lines);
                    }
                    for (int at = 0; c.isShort && at <= c.bytes.length; at++) {
                        Tests.equal(lines(decoder, c.bytes, at), c.lines);
                    }
                    for (int size : new int[] {1, 7, 1 << 20}) {
                        Tests.equal(read(decoder, new Slow(c.bytes, size)), c.lines);
                    }
                }
            }));
        }
        return tests;
    }

    private static String read(Decoder decoder, InputStream body) {
        StringBuilder lines = new StringBuilder();
        try {
            decoder.deltas(body).forEach(delta -> Lines.append(lines, delta));
        } catch (IncompleteException e) {
            Tests.equal(e.end(), decoder.end());
        }
        Lines.appendEnd(lines, decoder.end());
        return lines.toString();
    }

    /** Gives a number of bytes at a time, at most. */
    private static final class Slow extends ByteArrayInputStream {
        private final int size;

        Slow(byte[] bytes, int size) {
            super(bytes);
            this.size = size;
        }

        @Override
        public int read(byte[] to, int at, int len) {
            return super.read(to, at, Math.min(size, len));
        }
    }

    void batchesOfAnySizeGiveTheSame() throws IOException {
        for (Case c : cases().subList(0, 30)) {
            for (int batch : new int[] {1, 2, 5}) {
                try (Decoder decoder = new Decoder(Decoder.Options.DEFAULT.dialect(c.dialect).batch(batch))) {
                    Tests.equal(lines(decoder, c.bytes), c.lines);
                }
            }
        }
    }

    void theProgramPrintsTheLinesAndEndsAsTheCommand() throws Exception {
        String command = System.getenv("DELTAWIRE");
        for (Case c : cases().subList(0, 4)) {
            String file = c.file.toString();
            String dialect = c.dialect.toString();
            Output want = new Output(c.lines, output(null, command, "deltas", "--dialect", dialect, file).status);
            Tests.equal(output(null, program("Deltas", "--dialect", dialect, file)), want);
            Tests.equal(output(null, program("Deltas", "--dialect", dialect, "--chunk-size", "1", file)), want);
            Tests.equal(output(c.file, program("Deltas", "--dialect", dialect)), want);
        }
        // Complete, with one event that cannot be read.
        Path faulty = Files.createTempFile("deltawire", ".sse");
        try {
            Files.writeString(faulty, "data: {bad\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"
                    + "data: [DONE]\n\n");
            Output got = output(null, program("Deltas", faulty.toString()));
            Tests.equal(got.text, """
                    {"type":"other","event":"message","raw":"{bad"}
                    {"type":"text","choice":0,"text":"Hi"}
                    {"type":"done"}
                    {"type":"end","complete":true}
                    """);
            Tests.equal(output(null, command, "deltas", faulty.toString()).status, 1);
            Tests.equal(got.status, 1);
        } finally {
            Files.delete(faulty);
        }
        for (String[] args : new String[][] {{"--dialect", "nobody's"}, {"--chunk-size", "0"}, {"no such file"}}) {
            Tests.equal(output(null, program("Deltas", args)), new Output("", 2));
        }
    }

    record Output(String text, int status) {}

    /** The command line of one of the programs, run as this one is. */
    static String[] program(String name, String... args) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path")));
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        if (System.getProperty("deltawire.native") != null) {
            command.add("-Ddeltawire.native=" + System.getProperty("deltawire.native"));
        }
        command.add(name);
        command.addAll(List.of(args));
        return command.toArray(String[]::new);
    }

    private static Output output(Path input, String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectInput(input == null ? new File("/dev/null") : input.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        return new Output(new String(process.getInputStream().readAllBytes(), UTF_8), process.waitFor());
    }
}

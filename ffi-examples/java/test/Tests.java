import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Runs every test of the classes beside it, and counts. A method without arguments whose name says a rule is a test. */
final class Tests {
    private static int passed;
    private static int failed;

    private Tests() {}

    /** A test, or one of many that a method gives. */
    record Test(String name, Body body) {}

    /** What a test does. */
    interface Body {
        void run() throws Throwable;
    }

    public static void main(String[] args) throws Exception {
        for (Object tests : List.of(new CasesTest(), new DecoderTest(), new TransportTest(), new deltawire.CleanerTest())) {
            Method[] methods = tests.getClass().getDeclaredMethods();
            java.util.Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method method : methods) {
                if (!Modifier.isPrivate(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())
                        && method.getParameterCount() == 0 && !method.isSynthetic()) {
                    method.setAccessible(true);
                    run(tests, method);
                }
            }
        }
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 && passed > 0 ? 0 : 1);
    }

    private static void run(Object tests, Method method) throws Exception {
        String name = tests.getClass().getSimpleName() + "." + method.getName();
        List<Test> all = new ArrayList<>();
        if (method.getReturnType() == List.class) {
            try {
                for (Object test : (List<?>) method.invoke(tests)) {
                    all.add((Test) test);
                }
            } catch (InvocationTargetException e) {
                all.add(new Test("", () -> { throw e.getCause(); }));
            }
        } else {
            all.add(new Test("", () -> {
                try {
                    method.invoke(tests);
                } catch (InvocationTargetException e) {
                    throw e.getCause();
                }
            }));
        }
        for (Test test : all) {
            try {
                test.body().run();
                passed++;
            } catch (Throwable e) {
                failed++;
                System.out.println("FAILED " + name + (test.name().isEmpty() ? "" : " " + test.name()));
                e.printStackTrace(System.out);
            }
        }
    }

    static void check(boolean isTrue, Object... seen) {
        if (!isTrue) {
            throw new AssertionError(java.util.Arrays.deepToString(seen));
        }
    }

    static void equal(Object got, Object want) {
        if (!java.util.Objects.equals(got, want)) {
            throw new AssertionError("got " + got + ", want " + want);
        }
    }

    /** What a body throws, which has to be of this class. */
    static <T extends Throwable> T thrown(Class<T> what, Body body) {
        try {
            body.run();
        } catch (Throwable e) {
            if (what.isInstance(e)) {
                return what.cast(e);
            }
            throw new AssertionError("not " + what, e);
        }
        throw new AssertionError("nothing was thrown, want " + what);
    }
}
